"""The decisions file: what all journals come to, as a table that the workflow and people read."""

import csv
import hashlib
import io
import logging
from collections.abc import Iterable
from pathlib import Path

from wsss.store.atomic import atomic_path
from wsss.store.rows import read_cells

log = logging.getLogger(__name__)

COLUMNS = ("image_id", "decision", "decided_by", "votes")
WRITTEN = "written.sha256"
"""In the journals' folder: checksums of the decisions file as the page wrote it, the last two."""


class DecisionsFile:
    """A decisions file that this process writes.

    Args:
        path: The file.
        folder: Of the journals.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._written = folder / WRITTEN
        self._checksums = self._written.read_text("utf-8").split() if self._written.exists() else []
        self._content = path.read_bytes() if path.exists() else None
        self._seen = self._signature()

    def write(self, lines: Iterable[str]) -> None:
        """Write the rows, which `row_text` made, if they are others than before.

        What somebody wrote there meanwhile is kept beside it.

        Raises:
            WriteError: The disk does not take them.
        """
        content = (",".join(COLUMNS) + "\n" + "".join(lines)).encode()
        if self._signature() != self._seen:
            self._put_aside()
        elif content == self._content:
            return
        # Noted first: a kill in between leaves a file that is still known as the page's own.
        checksums = [*self._checksums[-1:], hashlib.sha256(content).hexdigest()]
        with atomic_path(self._written) as temporary:
            temporary.write_text("\n".join(checksums) + "\n", "utf-8")
        with atomic_path(self.path) as temporary:
            temporary.write_bytes(content)
        self._checksums, self._content, self._seen = checksums, content, self._signature()

    def _signature(self) -> tuple[int, ...]:
        if not self.path.exists():
            return ()
        found = self.path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _put_aside(self) -> None:
        """Keep what somebody else wrote while the page was open, for the page writes it anew."""
        if not self.path.exists():
            return
        aside = self.path.with_name(f"{self.path.stem}.edited{self.path.suffix}")
        self.path.replace(aside)
        log.warning("%s was changed while its page was open: see %s", self.path, aside)

    def changes_of_others(self) -> list[tuple[str, str, str]] | None:
        """Return (image id, decision, decided_by) of each row if somebody else wrote the file.

        None where there is no file, or it is as the page wrote it.

        Raises:
            ValueError: The file is no table of decisions, or has a word that is none.
        """
        if not self.path.exists():
            return None
        if hashlib.sha256(self.path.read_bytes()).hexdigest() in self._checksums:
            return None
        names, cells = read_cells(self.path, COLUMNS[:2])
        # Without the column of names, all are nobody's.
        places = [names.index(name) if name in names else None for name in COLUMNS[:3]]
        rows = [tuple("" if place is None else row[place] for place in places) for row in cells]
        for number, (image_id, word, _) in enumerate(rows, start=2):
            if word.strip() not in ("keep", "reject", ""):
                raise ValueError(
                    f"{self.path}, row {number}: {word!r} for image {image_id} is not a decision; "
                    "write keep or reject, or nothing if undecided"
                )
        return [(image_id, word.strip(), by.strip()) for image_id, word, by in rows]


def row_text(image_id: str, decision: str, decided_by: str, votes: str) -> str:
    """Return a row of the file as text, with its end of line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow((image_id, decision, decided_by, votes))
    return line.getvalue()
