"""Boundary quality without regard to class: recall, precision and F1 of Laplacian edges."""

import math

import cv2
import numpy as np

from wsss.metrics.contour import truth_and_radius


class BoundaryScore:
    """Matches of label edges over a data set (EPS sec. 5.1, Table 1).

    Edges are those of `label_edges`, in both masks; which classes meet at an edge does not matter.
    Counts are summed over all images before the ratios. Ignored ground truth pixels count as
    background, as in `ContourScore`: best is a ground truth without a rim of them, such as SBD's.

    An edge pixel is matched if the other mask has one within the tolerance. The paper names no
    tolerance; that of the SBD benchmark, whose matches are one to one, is 0.0075 of the diagonal.
    """

    def __init__(self, *, ignore_index: int, tolerance: float) -> None:
        """Start empty counts.

        Args:
            ignore_index: ground truth label that is set to background.
            tolerance: greatest distance of matching edges as a fraction of the diagonal; rounded
                up to whole pixels.

        Raises:
            ValueError: the tolerance is negative or no number.
        """
        if not 0 <= tolerance < math.inf:
            raise ValueError(
                f"tolerance {tolerance} is not a number from 0; it is a fraction of the diagonal"
            )
        self.ignore_index = ignore_index
        self.tolerance = tolerance
        self.counts = np.zeros(4, np.int64)

    def update(self, ground_truth: np.ndarray, prediction: np.ndarray) -> None:
        """Add one image; both masks uint8 (H,W).

        Raises:
            ValueError: sizes differ.
        """
        truth, radius = truth_and_radius(
            ground_truth, prediction, ignore_index=self.ignore_index, tolerance=self.tolerance
        )
        self.counts += match_edges(label_edges(truth), label_edges(prediction), radius=radius)

    def merge(self, other: "BoundaryScore") -> None:
        """Add the counts of another part of the same data set.

        Raises:
            ValueError: the other score has another tolerance.
        """
        if other.tolerance != self.tolerance:
            raise ValueError(
                f"cannot merge boundary scores of tolerances {self.tolerance} and "
                f"{other.tolerance}; make all parts with the same config"
            )
        self.counts += other.counts

    def summary(self) -> dict[str, float]:
        """Return boundary_recall, boundary_precision and boundary_f1 as fractions.

        Recall is nan without edges in any ground truth, precision without any in the predictions;
        F1 is nan where both are, else 0 where nothing matches.
        """
        matched_truth, matched_prediction, truth, prediction = (int(n) for n in self.counts)
        recall, precision = _share(matched_truth, truth), _share(matched_prediction, prediction)
        return {
            "boundary_recall": recall,
            "boundary_precision": precision,
            "boundary_f1": _harmonic_mean(recall, precision),
        }


def label_edges(mask: np.ndarray) -> np.ndarray:
    """Return the edges of a label map (H,W) as bool (H,W): both sides of every border.

    A pixel is an edge where the Laplacian (left + right + upper + lower - 4 centre) of some label's
    indicator is not zero, which is where one of its four neighbours has another label. The
    Laplacian of the label numbers themselves would miss the middle of 1, 2, 3. Neighbours beyond
    the image are not looked at.
    """
    edges = np.zeros(mask.shape, bool)
    across, down = mask[:, :-1] != mask[:, 1:], mask[:-1] != mask[1:]
    edges[:, :-1] |= across
    edges[:, 1:] |= across
    edges[:-1] |= down
    edges[1:] |= down
    return edges


def match_edges(truth: np.ndarray, prediction: np.ndarray, *, radius: int) -> np.ndarray:
    """Return how many edge pixels have one of the other map within a distance.

    Args:
        truth: bool (H,W).
        prediction: bool (H,W).
        radius: greatest distance of a match in pixels.

    Returns:
        Integers (4,): matched pixels of the ground truth, matched pixels of the prediction, all
        pixels of each.
    """
    near_prediction, near_truth = _within(prediction, radius), _within(truth, radius)
    maps = (truth & near_prediction, prediction & near_truth, truth, prediction)
    return np.array([np.count_nonzero(pixels) for pixels in maps])


def _within(edges: np.ndarray, radius: int) -> np.ndarray:
    # Without any edge the transform has nothing to measure from.
    if not edges.any():
        return np.zeros(edges.shape, bool)
    away = np.ascontiguousarray(~edges).view(np.uint8)
    distances = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squared distances are integers, but for the rounding of the root.
    return np.rint(distances.astype(np.float64) ** 2) <= radius**2


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _harmonic_mean(recall: float, precision: float) -> float:
    if math.isnan(recall) and math.isnan(precision):
        return float("nan")
    recall, precision = (0.0 if math.isnan(x) else x for x in (recall, precision))
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0
