"""Scores as tidy rows: one value per row, named by chain, stage, class and metric."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsss.metrics.confusion import iou, summarise

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


def tidy_rows(
    matrix: np.ndarray,
    *,
    classes: Sequence[str],
    num_images: int,
    further: Mapping[str, float],
    place: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the rows of one confusion matrix.

    Args:
        matrix: (K, K), rows ground truth.
        classes: The C foreground class names; background is added.
        num_images: Evaluated images.
        further: Scores that do not follow from the matrix, such as the confusion ratio.
        place: The other columns: chain, random seed, stage, split, threshold, its policy, and
            whether the config names that policy (1 or 0).
    """
    scores = {**summarise(matrix), "num_images": num_images, **further}
    per_class = zip(("background", *classes), iou(matrix), strict=True)
    rows = [("all", metric, value) for metric, value in scores.items()]
    rows += [(name, "iou", value) for name, value in per_class]
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
