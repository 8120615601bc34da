"""Precision, recall and F1 of classes of small and of large objects (dissertation Table 3.5)."""

import math
from collections.abc import Mapping

import numpy as np

from wsss.metrics.confusion import f1, ground_truth_rows, precision, recall


class ObjectSizes:
    """The average size of each foreground class in a data set.

    The size of a class in an image is the share of the image's pixels that it covers, whatever the
    number of its objects: label maps do not tell them apart, and the dissertation does not say how
    it measures. Ignored pixels belong to no class but to the image.
    """

    def __init__(self, num_classes: int, *, ignore_index: int) -> None:
        """Start empty sums for `num_classes` classes, background included (2 to 255).

        Raises:
            ValueError: the number is out of range.
        """
        if not 2 <= num_classes <= 255:
            raise ValueError(f"num_classes is {num_classes}; give 2 to 255, with background")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.shares = np.zeros(num_classes - 1)
        self.images = np.zeros(num_classes - 1, np.int64)

    def update(self, ground_truth: np.ndarray) -> None:
        """Add one image.

        Args:
            ground_truth: uint8 (H,W), 0 to num_classes - 1 or ignore_index.

        Raises:
            TypeError: the mask is not uint8.
            ValueError: the mask is empty or a label is out of range.
        """
        rows = ground_truth_rows(ground_truth, self.num_classes, ignore_index=self.ignore_index)
        if rows.size == 0:
            raise ValueError(f"the ground truth of shape {ground_truth.shape} has no pixels")
        counts = np.bincount(rows.ravel(), minlength=self.num_classes)[1 : self.num_classes]
        self.shares += counts / rows.size
        self.images += counts > 0

    def merge(self, other: "ObjectSizes") -> None:
        """Add the sums of another part of the same data set.

        Raises:
            ValueError: the other has another number of classes.
        """
        if other.num_classes != self.num_classes:
            raise ValueError(
                f"cannot merge object sizes of {self.num_classes} and {other.num_classes} "
                "classes; they belong to different data sets"
            )
        self.shares += other.shares
        self.images += other.images

    def mean_sizes(self) -> np.ndarray:
        """Return the mean size (C,) over the images with the class, 0..1; nan without any."""
        return np.where(self.images > 0, self.shares / np.maximum(self.images, 1), np.nan)


# What the groups are called behind the name of a score.
SUFFIXES = {"all": "foreground", "smallest": "small", "medium": "medium", "largest": "large"}


def scores_by_size(
    matrix: np.ndarray, sizes: np.ndarray, *, group_size: int | None
) -> dict[str, float]:
    """Return what `summarise_by_size` does as one score each: recall_small, num_classes_large, ...

    Args:
        matrix: See `summarise_by_size`.
        sizes: Likewise.
        group_size: Likewise.
    """
    by_size = summarise_by_size(matrix, sizes, group_size=group_size)
    return {
        f"{name}_{SUFFIXES[group]}": value
        for group, scores in by_size.items()
        for name, value in scores.items()
    }


def summarise_by_size(
    matrix: np.ndarray, sizes: np.ndarray, *, group_size: int | None
) -> dict[str, dict[str, float]]:
    """Return the scores of all classes, and of those of small, medium and large objects.

    Scores are those of `wsss.metrics.confusion`, from one matrix of the whole data set; each is
    averaged over the classes of its group, F1 too. The background is in no group. Classes that do
    not occur in the ground truth have no size and are in none either; every class of a group has
    a non-empty union.

    Args:
        matrix: integers (K,K), rows ground truth, columns predictions.
        sizes: (C,) average sizes of the foreground classes, C = K - 1, in any unit, nan where
            unknown: of `ObjectSizes`, or of annotated objects.
        group_size: classes of each of the two outer groups (10 of 20 in the dissertation); they
            overlap where there are fewer than twice as many classes. None: half of those that
            occur, rounded down, but one at least.

    Returns:
        "all", "smallest", "medium" (all between these and) "largest", each with precision, recall
        and f1 as fractions, nan without classes, and num_classes.

    Raises:
        ValueError: the group size is below 1, or the sizes are not of the matrix's classes.
    """
    if group_size is not None and group_size < 1:
        raise ValueError(f"group_size is {group_size}: compare at least 1 class")
    if sizes.shape != (len(matrix) - 1,):
        raise ValueError(
            f"sizes of shape {sizes.shape} do not fit a confusion matrix of {len(matrix)} classes "
            "with background: give one size per foreground class"
        )
    scores = {"precision": precision(matrix), "recall": recall(matrix), "f1": f1(matrix)}
    groups = classes_by_size(np.where(matrix[1:].sum(1) > 0, sizes, np.nan), group_size=group_size)
    return {name: _means(scores, classes + 1) for name, classes in groups.items()}


def classes_by_size(sizes: np.ndarray, *, group_size: int | None) -> dict[str, np.ndarray]:
    """Return zero-based class ids: "all" from small to large, "smallest", "medium", "largest".

    Args:
        sizes: (C,) average sizes; a class of nan is left out. Of equal ones the lower id is first.
        group_size: number of classes in each of the two outer groups, at most; None: half of all,
            rounded down, but one at least.
    """
    order = np.argsort(sizes, kind="stable")
    order = order[~np.isnan(sizes[order])]
    count = max(len(order) // 2, 1) if group_size is None else group_size
    first_large = max(len(order) - count, 0)
    return {
        "all": order,
        "smallest": order[:count],
        "medium": order[count:first_large],
        "largest": order[first_large:],
    }


def _means(scores: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, float]:
    means = {
        name: float(values[rows].mean()) if rows.size else math.nan
        for name, values in scores.items()
    }
    return {**means, "num_classes": float(rows.size)}
