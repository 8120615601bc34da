"""Background thresholds that were chosen from maps, with the curves that they were chosen by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss.store.rows import read_rows, write_records

# Stands in every row.
CHOSEN_FROM = "localization maps, without ground truth"


def write_thresholds(
    path: Path | str,
    curves: Mapping[str, np.ndarray],
    *,
    thresholds: Sequence[float],
    chosen: Mapping[str, float | None],
    place: Mapping[str, Any],
) -> None:
    """Write a row for every way and threshold; `chosen` is 1 in the row of the chosen one.

    Args:
        path: Where to.
        curves: Way -> its score (T,) of each threshold; NaN where nothing tells of it.
        thresholds: The T thresholds.
        chosen: Way -> the threshold that it chose, None for none.
        place: Further columns, the same in every row: chain, random seed, number of images.
    """
    rows = [
        {
            **place,
            "method": way,
            "threshold": threshold,
            "score": float(score),
            "chosen": int(threshold == chosen[way]),
            "chosen_from": CHOSEN_FROM,
        }
        for way, curve in curves.items()
        for threshold, score in zip(thresholds, curve, strict=True)
    ]
    write_records(path, rows)


def read_thresholds(path: Path | str) -> dict[str, float]:
    """Return the chosen threshold by way; ways that chose none are left out.

    Raises:
        ValueError: The table is missing, damaged, lacks a column, or a way chose two.
    """
    rows = read_rows(path, ["method", "threshold", "chosen"])
    try:
        found = [(way, float(threshold)) for way, threshold, chosen in rows if int(chosen)]
    except ValueError as error:
        raise ValueError(
            f"table {path} is no table of thresholds ({error}); delete it and make it again"
        ) from None
    if len(dict(found)) < len(found):
        raise ValueError(
            f"table {path} has two chosen thresholds of one way; delete it and make it again"
        )
    return dict(found)
