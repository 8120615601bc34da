"""Scores as tidy rows: one value per row, named by chain, stage, class and metric."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsss.metrics.confusion import iou, summarise
from wsss.metrics.confusion_ratio import Pair

COLUMNS = (
    "dataset",
    "classifier",
    "localizer",
    "refiner",
    "segmenter",
    "random_seed",
    "stage",
    "split",
    "threshold_policy",
    "threshold",
    "threshold_in_config",
    "class_name",
    "metric",
    "value",
)
# Between a class and its background; no name holds it.
PAIR = ";"


def tidy_rows(
    matrix: np.ndarray,
    *,
    classes: Sequence[str],
    num_images: int,
    further: Mapping[str, float],
    ratios: Mapping[Pair, float],
    spurious: Mapping[str, Sequence[tuple[str, int]]],
    place: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the rows of one confusion matrix.

    The confusion ratio of a pair stands under the names of both, "train;rail".

    Args:
        matrix: (K, K), rows ground truth.
        classes: The C foreground class names; background is added.
        num_images: Evaluated images.
        further: Scores that do not follow from the matrix, such as the confusion ratio.
        ratios: Confusion ratio of each pair.
        spurious: By class, its backgrounds and their ids in the pairs.
        place: The other columns: chain, random seed, stage, split, threshold, its policy, and
            whether the config names that policy (1 or 0).
    """
    scores = {**summarise(matrix), "num_images": num_images, **further}
    per_class = zip(("background", *classes), iou(matrix), strict=True)
    rows = [("all", metric, value) for metric, value in scores.items()]
    rows += [(name, "iou", value) for name, value in per_class]
    rows += [
        (PAIR.join((name, background)), "confusion_ratio", ratios[class_id, number])
        for class_id, name in enumerate(classes)
        for background, number in spurious.get(name, ())
    ]
    return [
        {
            **dict.fromkeys(COLUMNS, ""),
            **place,
            "class_name": name,
            "metric": metric,
            "value": float(value),
        }
        for name, metric, value in rows
    ]
