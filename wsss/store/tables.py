"""Tables of pandas as CSV files; see wsss.store.rows for what the files are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from wsss.store.rows import read_cells, write_checked

TEXT_COLUMNS = frozenset(
    {
        *("image_id", "path", "mask", "spurious", "kind", "split", "labels"),
        *("class_name", "spurious_background", "decision", "decided_by", "votes"),
        *("annotator", "first", "second"),
        *("dataset", "ood_set", "classifier", "localizer", "refiner", "segmenter"),
        *("stage", "threshold_policy", "metric"),
    }
)
"""Columns that stay text whatever they hold: an image named 000123, a class named 7."""


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table as CSV, atomically; equal tables give equal bytes.

    Floats have the shortest digits that read back to the same number; NaN and None are empty cells.
    A kill between checksum and table leaves a pair that `read_table` refuses.

    Raises:
        ValueError: Two columns have one name.
    """
    if not table.columns.is_unique:
        raise ValueError(f"table for {path}: column names repeat ({', '.join(table.columns)})")
    write_checked(path, table.to_csv(index=False, lineterminator="\n").encode())


def read_table(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    """Return a CSV table that has at least `columns`.

    `TEXT_COLUMNS` are text, an empty cell being "". Any other column is int64 or float64 (an empty
    cell being NaN) where all its cells are numbers, and else text; digits that start with a
    zero ("000123") are text.

    Raises:
        ValueError: The file is missing, damaged or changed since it was written, no CSV, or lacks a
            column.
    """
    names, rows = read_cells(path, columns)
    table = pd.DataFrame(rows, columns=names, dtype=str)
    return table.apply(_typed)


def _typed(column: pd.Series) -> pd.Series:
    """Return the column as numbers, if it is not text."""
    if column.name in TEXT_COLUMNS:
        return column
    filled = column[column != ""]
    if filled.str.match(r"-?0\d").any():
        return column
    try:
        if len(filled) == len(column) > 0 and filled.str.fullmatch(r"-?\d{1,18}").all():
            return column.astype(np.int64)
        # Python's own parser: pandas' fast one may miss the last bit.
        return column.map(lambda cell: float(cell) if cell else np.nan).astype(np.float64)
    except ValueError:
        return column
