"""Tables as CSV files, each with its checksum in a hidden file beside it (`sha256sum -c` reads it).

A table without that file is somebody's own, and is read as it is.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from wsss.store.atomic import atomic_path

TEXT_COLUMNS = frozenset(
    {
        *("image_id", "path", "mask", "spurious", "kind", "split", "labels"),
        *("class_name", "spurious_background", "decision", "decided_by"),
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
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")
        digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
        with atomic_path(checksum_path(path)) as beside:
            beside.write_text(f"{digest}  {Path(path).name}\n", encoding="utf-8")


def checksum_path(path: Path | str) -> Path:
    """Return where the checksum of a table stands."""
    return Path(path).with_name(f".{Path(path).name}.sha256")


def read_table(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    """Return a CSV table that has at least `columns`.

    `TEXT_COLUMNS` are text, an empty cell being "". Any other column is int64 or float64 (an empty
    cell being NaN) where all its cells are numbers, and else text; digits that start with a
    zero ("000123") are text.

    Raises:
        ValueError: The file is missing, damaged or changed since it was written, no CSV, or lacks a
            column.
    """
    names, rows = _cells(path)
    table = pd.DataFrame(rows, columns=names, dtype=str)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(
            f"table {path} lacks the column(s) {', '.join(missing)}; "
            f"it has {', '.join(table.columns)}"
        )
    return table.apply(_typed)


def _cells(path: Path | str) -> tuple[list[str], list[list[str]]]:
    """Return the column names and the rows, all of that length."""
    # Python's reader: that of pandas fills short rows and takes the first cells of long ones away.
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise ValueError(f"table {path} does not exist; run the step that makes it again") from None
    _check(path, content)
    try:
        file = io.StringIO(content.decode("utf-8-sig"), newline="")
        names, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(
            f"table {path} is no CSV file ({error}); delete it and make it again"
        ) from None
    lengths = {len(row) for row in rows} - {len(names)}
    if lengths or not names or len(set(names)) < len(names):
        raise ValueError(
            f"table {path} is no CSV file of {len(names)} distinct columns in every row; "
            "delete it and make it again"
        )
    return names, rows


def _check(path: Path | str, content: bytes) -> None:
    """Refuse a table whose checksum, where it has one, is another."""
    beside = checksum_path(path)
    if not beside.is_file():
        return
    if beside.read_bytes().split()[:1] != [hashlib.sha256(content).hexdigest().encode()]:
        raise ValueError(
            f"table {path} is damaged, or was changed after it was written (its checksum differs); "
            f"delete it and make it again, or delete {beside.name} if the change is yours"
        )


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
