"""All scores of a set of label maps against ground truth."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from wsss.metrics.confusion import ConfusionMatrix, unsure_as_background
from wsss.metrics.confusion_ratio import ConfusionRatio, Pair, summarise_ratios
from wsss.metrics.object_size import ObjectSizes, scores_by_size
from wsss.metrics.outlines import OutlineScores

IGNORE_INDEX = 255


class MaskScores(NamedTuple):
    """What `score_masks` returns.

    `matrix` (K, K) is the confusion matrix, rows ground truth; `further` are scores that do not
    follow from it; `ratios` are the confusion ratios of the pairs.
    """

    matrix: np.ndarray
    further: dict[str, float]
    ratios: dict[Pair, float]


def score_masks(
    items: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray | None]],
    *,
    num_classes: int,
    pairs: Sequence[Pair],
    contour: Mapping[str, Any] | None,
    boundary: Mapping[str, Any] | None,
    object_size: Mapping[str, Any] | None,
) -> MaskScores:
    """Return the scores of label maps; unsure pixels (255) of a prediction count as background.

    Args:
        items: (ground truth (H, W), prediction (H, W), ids of spurious backgrounds (H, W) or None).
        num_classes: Classes with background (K).
        pairs: (zero-based class, id of a spurious background); empty where there is none.
        contour: Options of the contour F-score, see `OutlineScores`; None leaves it out.
        boundary: Options of the boundary scores, likewise.
        object_size: Options of the scores by size, see `scores_by_size`; None leaves them out.
    """
    confusion = ConfusionMatrix(num_classes, ignore_index=IGNORE_INDEX)
    outlines = OutlineScores(
        num_classes, ignore_index=IGNORE_INDEX, contour=contour, boundary=boundary
    )
    ratio = ConfusionRatio(pairs, num_classes=num_classes, ignore_index=IGNORE_INDEX)
    sizes = object_size and ObjectSizes(num_classes, ignore_index=IGNORE_INDEX)
    for ground_truth, prediction, spurious in items:
        prediction = unsure_as_background(prediction, ignore_index=IGNORE_INDEX)
        confusion.update(ground_truth, prediction)
        outlines.update(ground_truth, prediction)
        if sizes:
            sizes.update(ground_truth)
        if spurious is not None:
            ratio.update(ground_truth, spurious, prediction)
    further = outlines.summary(confusion.matrix) | summarise_ratios(ratio.ratios())
    if object_size and sizes:
        further |= scores_by_size(confusion.matrix, sizes.mean_sizes(), **object_size)
    return MaskScores(confusion.matrix, further, ratio.ratios())
