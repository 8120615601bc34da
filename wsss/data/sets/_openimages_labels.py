"""OpenImages' tables of image labels: up to 165 million lines, so they are read as blocks of bytes.

Python's csv reader takes four times as long, that of pandas twice. The tables know no quotes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from wsss.data.sets._openimages_cells import LONGEST, Cells, Wanted

COLUMNS = ("ImageID", "LabelName", "Confidence")
BLOCK = 2**22
"""Bytes that are read at once: few enough for a processor's cache."""
MOST_HEADER = 2**16
NEWLINE, RETURN, COMMA, SLASH = b"\n\r,/"


class LabelRows(NamedTuple):
    """Some rows of a table, of n images; m of the rows have one of the wanted labels.

    Attributes:
        num_rows: How many rows.
        num_bytes: How much of the file they are; the first of them with the header.
        image_ids: Of the images, (n,) uint64; one for all the rows of an image that follow each
            other, as they do in OpenImages' tables.
        lines: Lines of the wanted rows in the file, (m,) int64, ascending.
        images: Places of their images in `image_ids`, (m,) int64.
        labels: Places of their labels among the wanted ones, (m,) int64.
        confidences: (m,) float64 in 0..1.
    """

    num_rows: int
    num_bytes: int
    image_ids: np.ndarray
    lines: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    confidences: np.ndarray


def read_label_rows(path: Path, mids: Sequence[str]) -> Iterator[LabelRows]:
    """Yield all rows of a table of image labels, some hundred thousand at a time.

    Args:
        path: CSV with the columns ImageID, LabelName and Confidence, and any others.
        mids: The wanted labels.

    Raises:
        ValueError: The file is missing or no such table; the sentence names the line.
    """
    wanted = Wanted(mids)
    try:
        with path.open("rb", buffering=0) as file:
            header = file.read(MOST_HEADER).split(b"\n", 1)[0]
            layout = _Layout(path, header)
            before = len(header) + 1
            file.seek(before)
            line = 2
            for buffer, filled in _blocks(file, path):
                rows = layout.parse(buffer, filled, wanted, line)
                yield rows._replace(num_bytes=before + filled)
                before, line = 0, line + rows.num_rows
    except FileNotFoundError:
        raise ValueError(
            f"labels {path} do not exist; link OpenImages' tables there, or take the file out of "
            "the config"
        ) from None
    except OSError as error:
        raise ValueError(f"labels {path} cannot be read ({error.strerror})") from None


def _blocks(file: IO[bytes], path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Yield (buffer, bytes of whole lines in it), the last with a newline of its own."""
    # Behind the lines there is room for a window that begins at their end.
    buffer = np.zeros(BLOCK + LONGEST + 1, dtype=np.uint8)
    view = buffer.data
    carried = 0
    while count := file.readinto(view[carried:BLOCK]):  # type: ignore[attr-defined]
        filled = carried + count
        whole = _whole_lines(buffer[:filled])
        if whole:
            yield buffer, whole
        elif filled == BLOCK:
            raise ValueError(f"labels {path} are no table: a line has more than {BLOCK:,} bytes")
        carried = filled - whole
        buffer[:carried] = buffer[whole:filled].copy()
    last = bytes(buffer[:carried]).rstrip()
    if last:
        buffer[len(last)] = NEWLINE
        yield buffer, len(last) + 1


def _whole_lines(part: np.ndarray) -> int:
    """Return the bytes of whole lines, without empty lines at the end: they may be the file's."""
    # The last lines are enough to look at, unless one is very long.
    for reach in (2**12, len(part)):
        tail = bytes(part[-reach:])
        if end := len(tail[: tail.rfind(b"\n") + 1].rstrip(b"\r\n")):
            return len(part) - len(tail) + tail.index(b"\n", end) + 1
    return 0


class _Layout:
    """Where the columns of a table stand.

    Args:
        path: The table, for sentences.
        header: Its first line.

    Raises:
        ValueError: A column is missing.
    """

    def __init__(self, path: Path, header: bytes) -> None:
        self.path = path
        names = header.decode("utf-8-sig", errors="replace").strip().split(",")
        if missing := [name for name in COLUMNS if name not in names]:
            raise ValueError(
                f"labels {path} lack the column(s) {', '.join(missing)}; their first line is "
                f"{','.join(names)[:80]!r}, but OpenImages' is ImageID,Source,LabelName,Confidence"
            )
        self.columns = len(names)
        self.places = [names.index(name) for name in COLUMNS]

    def parse(self, buffer: np.ndarray, filled: int, wanted: Wanted, line: int) -> LabelRows:
        """Return the rows of whole lines, the first of which has the number `line`.

        Raises:
            ValueError: A line has another number of cells, or a cell is not what it should be.
        """
        cuts = self._cuts(buffer[:filled], line)
        ids, labels, numbers = (self._column(buffer, cuts, place) for place in self.places)
        heads = ids.runs()
        image_ids, is_id = ids.take(heads).from_hex()
        self._check(is_id, ids.take(heads), line + heads, "no image id of 16 hexadecimal digits")
        # Rows that share a head's 16 bytes may still go on behind them.
        every = np.arange(line, line + len(cuts))
        self._check(ids.lengths == LONGEST, ids, every, "no image id of 16 hexadecimal digits")
        words = labels.words()
        is_label = words[:, 0] >> np.uint64(56) == SLASH
        self._check(is_label, labels, every, "no label such as /m/0k4j")
        rows, found = wanted.find(words)
        chosen = numbers.take(rows)
        confidences = chosen.numbers()
        is_share = (confidences >= 0) & (confidences <= 1)
        self._check(is_share, chosen, every[rows], "no confidence in 0..1")
        images = np.searchsorted(heads, rows, side="right") - 1
        return LabelRows(len(cuts), filled, image_ids, every[rows], images, found, confidences)

    def _cuts(self, part: np.ndarray, line: int) -> np.ndarray:
        """Return where the cells of each line end, (lines, columns) int64."""
        is_end = part == NEWLINE
        found = np.flatnonzero(is_end | (part == COMMA))
        count = int(np.count_nonzero(is_end))
        # As many lines as there should be, each of which ends where its last cell does.
        if len(found) == count * self.columns:
            cuts = found.reshape(count, self.columns)
            if is_end[cuts[:, -1]].all():
                return cuts
        lines = bytes(part).split(b"\n")[:-1]
        cells = np.array([text.count(b",") + 1 for text in lines])
        row = int(np.flatnonzero(cells != self.columns)[0])
        raise ValueError(
            f"labels {self.path} have {cells[row]} cells in line {line + row}, but {self.columns} "
            "in the first; fetch them again"
        )

    def _column(self, buffer: np.ndarray, cuts: np.ndarray, place: int) -> Cells:
        begins = np.zeros(len(cuts), dtype=np.int64)
        if place:
            begins[:] = cuts[:, place - 1] + 1
        else:
            begins[1:] = cuts[:-1, -1] + 1
        lengths = cuts[:, place] - begins
        if place == self.columns - 1:
            lengths -= (buffer[cuts[:, place] - 1] == RETURN) & (lengths > 0)
        return Cells(buffer, begins, lengths)

    def _check(self, good: np.ndarray, cells: Cells, lines: np.ndarray, what: str) -> None:
        """Refuse the first cell that is not good."""
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            raise ValueError(
                f"labels {self.path} hold {cells.text(row)!r} in line {lines[row]}, {what}; fetch "
                "them again"
            )
