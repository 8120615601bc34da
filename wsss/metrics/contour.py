"""Contour quality: F-score of mask boundaries within a tolerance."""

import math

import cv2
import numpy as np


class ContourScore:
    """Boundary matches per foreground class over a data set, and their F-score (HFPL sec. 5.1).

    Counts are summed over all images before the F value. Ignored ground truth pixels count as
    background, as in the authors' code.
    """

    def __init__(self, num_classes: int, *, ignore_index: int, tolerance: float) -> None:
        """Start empty counts.

        Args:
            num_classes: classes with background (K).
            ignore_index: ground truth label that is set to background.
            tolerance: greatest distance of matching boundaries as a fraction of the diagonal.
        """
        if tolerance < 0:
            raise ValueError(f"tolerance {tolerance} is negative; it is a fraction of the diagonal")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.tolerance = tolerance
        self.counts = np.zeros((num_classes - 1, 4), np.int64)

    def update(self, ground_truth: np.ndarray, prediction: np.ndarray) -> None:
        """Add one image; both masks uint8 (H,W).

        Raises:
            ValueError: sizes differ.
        """
        truth, radius = truth_and_radius(
            ground_truth, prediction, ignore_index=self.ignore_index, tolerance=self.tolerance
        )
        for label in np.union1d(np.unique(truth), np.unique(prediction)).tolist():
            if 0 < label < self.num_classes:
                self.counts[label - 1] += match_boundaries(
                    truth == label, prediction == label, radius=radius
                )

    def merge(self, other: "ContourScore") -> None:
        """Add the counts of another part of the same data set.

        Raises:
            ValueError: the other score has other classes or another tolerance.
        """
        if (other.num_classes, other.tolerance) != (self.num_classes, self.tolerance):
            raise ValueError(
                "cannot merge contour scores of different classes or tolerances; "
                "make all parts with the same config"
            )
        self.counts += other.counts

    def f_scores(self) -> np.ndarray:
        """Return the contour F-score per foreground class (K-1,), nan for a class in neither."""
        matched_truth, matched_prediction, truth, prediction = self.counts.astype(float).T
        recall = matched_truth / np.maximum(truth, 1)
        precision = matched_prediction / np.maximum(prediction, 1)
        total = precision + recall
        scores = 2 * precision * recall / np.where(total > 0, total, 1)
        return np.where((truth > 0) | (prediction > 0), scores, np.nan)

    def summary(self, *, absent_classes: str) -> dict[str, float]:
        """Return contour_f, the mean over foreground classes, and num_classes that it runs over.

        Args:
            absent_classes: "one": a class without boundary in either counts as F = 1, as in
                arvijj/hfpl; "left_out": it does not count.

        Raises:
            KeyError: another word for absent_classes.
        """
        scores = self.f_scores()
        if absent_classes == "one":
            scores = np.where(np.isnan(scores), 1.0, scores)
        elif absent_classes == "left_out":
            scores = scores[~np.isnan(scores)]
        else:
            raise KeyError(f"absent_classes is {absent_classes!r}; known: one, left_out")
        mean = float(scores.mean()) if scores.size else float("nan")
        return {"contour_f": mean, "num_classes": float(scores.size)}


def truth_and_radius(
    ground_truth: np.ndarray, prediction: np.ndarray, *, ignore_index: int, tolerance: float
) -> tuple[np.ndarray, int]:
    """Return the ground truth, ignored pixels as background, and the tolerance in whole pixels.

    Args:
        ground_truth: uint8 (H,W).
        prediction: uint8 (H,W).
        ignore_index: ground truth label that is set to background.
        tolerance: as a fraction of the diagonal; rounded up.

    Raises:
        ValueError: sizes differ.
    """
    if ground_truth.shape != prediction.shape:
        raise ValueError(
            f"ground truth is {ground_truth.shape} and prediction {prediction.shape}; "
            "bring the prediction to the size of the image"
        )
    truth = np.where(ground_truth == ignore_index, 0, ground_truth)
    return truth, math.ceil(tolerance * math.hypot(*truth.shape))


def match_boundaries(truth: np.ndarray, prediction: np.ndarray, *, radius: int) -> np.ndarray:
    """Return the boundary counts of one class in one image.

    Args:
        truth: bool (H,W).
        prediction: bool (H,W).
        radius: greatest distance of a match in pixels.

    Returns:
        Integers (4,): boundary pixels of the ground truth that have one of the prediction within
        the radius, those of the prediction that have one of the ground truth, and all boundary
        pixels of each.
    """
    truth_line, prediction_line = boundary(truth), boundary(prediction)
    window = _window(truth_line | prediction_line)
    truth_line, prediction_line = truth_line[window], prediction_line[window]
    near_prediction, near_truth = _thicken(prediction_line, radius), _thicken(truth_line, radius)
    counts = (
        truth_line & near_prediction,
        prediction_line & near_truth,
        truth_line,
        prediction_line,
    )
    return np.array([np.count_nonzero(line) for line in counts])


def boundary(mask: np.ndarray) -> np.ndarray:
    """Return the boundary of a bool mask (H,W), one pixel wide, as bool (H,W).

    A pixel is on it if its right, lower or lower-right neighbour differs; neighbours beyond the
    image are not looked at.
    """
    line = np.zeros(mask.shape, bool)
    line[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    line[:-1] |= mask[:-1] ^ mask[1:]
    line[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return line


def _window(line: np.ndarray) -> tuple[slice, slice]:
    """Return the bounding box of a bool map: matches lie in it, and the rest is slow to dilate."""
    rows, columns = np.flatnonzero(line.any(1)), np.flatnonzero(line.any(0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _thicken(line: np.ndarray, radius: int) -> np.ndarray:
    if line.size == 0:
        return line
    offsets = np.arange(-radius, radius + 1)
    disk = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.uint8)
    return cv2.dilate(line.view(np.uint8), disk).view(bool)
