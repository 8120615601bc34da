"""Rows of text as CSV files, each with its checksum in a hidden file beside it.

`sha256sum -c` reads that file. A table without it is somebody's own, and is read as it is. Stages
that need no more than rows are spared the second that tables of pandas take to load.
"""

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from wsss.store.atomic import atomic_path

# Of somebody's own table a header may be anything.
LONGEST_LIST = 200


def write_rows(path: Path | str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as CSV, atomically; equal rows give equal bytes.

    Floats have the shortest digits that read back to the same number; NaN and None are empty cells.
    A kill between checksum and table leaves a pair that `read_rows` refuses.

    Raises:
        ValueError: Two columns have one name, or a row has another length.
    """
    if len(set(columns)) != len(columns):
        raise ValueError(f"table for {path}: column names repeat ({', '.join(columns)})")
    with _checked_path(path) as made, made.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(
                    f"table for {path}: a row has {len(row)} cells, not {len(columns)}"
                )
            writer.writerow(["" if _is_nothing(cell) else cell for cell in row])


def write_records(path: Path | str, records: Sequence[Mapping[str, Any]]) -> None:
    """Write records of equal keys, which become the columns, as `write_rows`.

    Raises:
        ValueError: There is no record, or one has other keys than the first.
    """
    if not records or any(record.keys() != records[0].keys() for record in records):
        raise ValueError(f"table for {path}: records need the same keys, at least one of them")
    write_rows(path, list(records[0]), [list(record.values()) for record in records])


def _is_nothing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float | np.floating) and math.isnan(cell))


def write_checked(path: Path | str, content: bytes) -> None:
    """Write a file and its checksum beside it."""
    with _checked_path(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def _checked_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path, as `atomic_path`, of a file that gets a checksum beside it."""
    with atomic_path(path) as temporary:
        yield temporary
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with atomic_path(checksum_path(path)) as beside:
            beside.write_text(f"{digest}  {Path(path).name}\n", encoding="utf-8")


def checksum_path(path: Path | str) -> Path:
    """Return where the checksum of a table stands."""
    return Path(path).with_name(f".{Path(path).name}.sha256")


def read_rows(path: Path | str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the cells of `columns`, in that order, of every row of a CSV table.

    Raises:
        ValueError: The file is missing, damaged or changed since it was written, no CSV, or lacks a
            column.
    """
    names, rows = read_cells(path, columns)
    places = [names.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in rows]


@contextmanager
def readable_table(path: Path | str) -> Iterator[None]:
    """Turn what the system raises in a block that opens or reads a table into one sentence.

    Raises:
        ValueError: The table is missing or cannot be read.
    """
    try:
        yield
    except FileNotFoundError:
        raise ValueError(f"table {path} does not exist; run the step that makes it again") from None
    except OSError as error:
        raise ValueError(
            f"table {path} cannot be read ({error.strerror}); make it a file that you may read"
        ) from None


def read_cells(path: Path | str, columns: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the column names, among them `columns`, and the rows, all of that length.

    Raises:
        ValueError: As in `read_rows`.
    """
    # Python's reader: that of pandas fills short rows and takes the first cells of long ones away.
    with readable_table(path):
        content = Path(path).read_bytes()
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
    missing = [column for column in columns if column not in names]
    if missing:
        raise ValueError(
            f"table {path} lacks the column(s) {', '.join(missing)}; it has "
            f"{', '.join(names)[:LONGEST_LIST]}"
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
