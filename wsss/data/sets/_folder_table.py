"""The table of image labels that a person wrote or exported: image_id, labels and perhaps split."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wsss.data.records import SEPARATOR, SPLITS, shown

SEPARATORS = (",", ";", "\t")


class Row(NamedTuple):
    """What the table says of an image; `split` is "" where it has no such column."""

    name: str
    labels: tuple[str, ...]
    split: str
    where: str


def read_label_table(path: Path) -> list[Row]:
    """Return the rows of a table of image labels.

    Cells stand between commas, semicolons or tabs; spaces around cells and labels, empty lines and
    labels named twice are as nothing. UTF-8 with or without a mark at its beginning, or UTF-16.

    Args:
        path: Has the columns image_id and labels (joined by ";"), and perhaps split.

    Raises:
        ValueError: The file is missing, no text, lacks a column, or a row has no image, too few or
            too many cells, or an unknown split.
    """
    text = _text(path)
    separator, names = _header(text, path)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    try:
        filled = ((cells, reader.line_num) for cells in reader if any(map(str.strip, cells)))
        next(filled)
        rows = [_row(cells, names, f"line {line} of {path}") for cells, line in filled]
    except csv.Error as error:
        raise ValueError(
            f"labels {path} are no CSV (line {reader.line_num}: {error}); save the table again"
        ) from None
    if not rows:
        raise ValueError(f"labels {path} have no row; write one for each image")
    return rows


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(
            f"labels {path} do not exist; write a table with the columns image_id,labels there"
        ) from None
    except OSError as error:
        raise ValueError(f"labels {path} cannot be read ({error.strerror})") from None
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(
            f"labels {path} are no UTF-8 text; save the table as CSV in UTF-8"
        ) from None


def _header(text: str, path: Path) -> tuple[str, list[str]]:
    """Return the separator and the names of the columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    for separator in SEPARATORS:
        cells = next(csv.reader([first], delimiter=separator, skipinitialspace=True), [])
        names = [cell.strip().casefold() for cell in cells]
        if {"image_id", "labels"} <= set(names):
            # A program writes empty cells behind the last column.
            while not names[-1]:
                names.pop()
            if len(set(names)) < len(names):
                raise ValueError(f"labels {path} name a column twice ({first[:60]}); rename one")
            return separator, names
    raise ValueError(
        f"labels {path} begin with {first[:60]!r}, but the first line must name the columns: "
        "image_id,labels or image_id,labels,split"
    )


def _row(texts: Sequence[str], names: Sequence[str], where: str) -> Row:
    if len(texts) < len(names) or any(map(str.strip, texts[len(names) :])):
        raise ValueError(
            f"{where} has {len(texts)} cells, but the first line {len(names)}; join the labels of "
            f"an image by {SEPARATOR!r}, in quotes where that separates the cells"
        )
    cells = {name: text.strip() for name, text in zip(names, texts, strict=False)}
    if not cells["image_id"]:
        raise ValueError(f"{where} names no image; write its image_id, or take the line out")
    split = cells.get("split", "").casefold()
    if "split" in cells and split not in SPLITS:
        raise ValueError(
            f"{where} puts image {shown(cells['image_id'])} into the split {shown(split)}; the "
            f"splits are {', '.join(SPLITS)}"
        )
    labels = [label.strip() for label in cells["labels"].split(SEPARATOR)]
    return Row(cells["image_id"], tuple(dict.fromkeys(filter(None, labels))), split, where)
