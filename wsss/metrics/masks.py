"""All scores of a set of label maps against ground truth."""

from collections.abc import Iterable, Mapping

import numpy as np

from wsss.metrics.confusion import ConfusionMatrix, unsure_as_background
from wsss.metrics.confusion_ratio import ConfusionRatio
from wsss.metrics.contour import ContourScore

IGNORE_INDEX = 255


def score_masks(
    items: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray | None]],
    *,
    num_classes: int,
    pairs: Mapping[int, int],
    tolerance: float,
    absent_classes: str,
) -> tuple[np.ndarray, dict[str, float]]:
    """Return (confusion matrix (K, K), further scores).

    Unsure pixels (255) of a prediction count as background.

    Args:
        items: (ground truth (H, W), prediction (H, W), ids of spurious backgrounds (H, W) or None).
        num_classes: Classes with background (K).
        pairs: Zero-based class -> id of its spurious background; empty where there is none.
        tolerance: Of the contour F-score, as a share of the diagonal.
        absent_classes: See `ContourScore.summary`.
    """
    confusion = ConfusionMatrix(num_classes, ignore_index=IGNORE_INDEX)
    contour = ContourScore(num_classes, ignore_index=IGNORE_INDEX, tolerance=tolerance)
    ratio = ConfusionRatio(pairs, num_classes=num_classes, ignore_index=IGNORE_INDEX)
    for ground_truth, prediction, spurious in items:
        prediction = unsure_as_background(prediction, ignore_index=IGNORE_INDEX)
        confusion.update(ground_truth, prediction)
        contour.update(ground_truth, prediction)
        if spurious is not None:
            ratio.update(ground_truth, spurious, prediction)
    further = {"contour_f": contour.summary(absent_classes=absent_classes)["contour_f"]}
    return confusion.matrix, further | ratio.summary()
