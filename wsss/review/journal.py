"""What an annotator did, as a file that only grows: a line is on the disk before anybody is told.

A line is the checksum of its text and the text itself, JSON. A kill can tear the last line only,
whose decision nobody was told about; it goes when the journal is opened again.
"""

import json
import logging
import os
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wsss.disk import write_errors

log = logging.getLogger(__name__)

SUFFIX = ".jsonl"
ACTIONS = ("open", "decide", "settle", "undo", "redo")


@dataclass(frozen=True)
class Entry:
    """One thing that an annotator did.

    Attributes:
        id: From the page, which sends an action again if it hears no answer.
        time: Seconds since 1970, UTC.
        action: "open" (began to look), "decide", "settle" (a disagreement), "undo" or "redo".
        images: Image ids, of decide and settle.
        decision: "keep", "reject" or nothing (withdrawn).
        class_name: The class whose candidates were looked at; empty among disagreements.
    """

    id: str
    time: float
    action: str
    images: tuple[str, ...] = ()
    decision: str = ""
    class_name: str = ""


class Journal:
    """The journal of one annotator, open for more.

    Args:
        path: Its file, made with the first entry. Nobody else writes it meanwhile.

    Raises:
        ValueError: A line is damaged, or the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries, self._size = read_journal(path)
        self._file: int | None = None

    def append(self, entry: Entry) -> None:
        """Write an entry, and return once it is on the disk.

        Raises:
            WriteError: The disk does not take it; the journal is as it was.
        """
        line = _line(entry)
        with write_errors(self.path):
            try:
                file = self._opened()
                # What a kill, or a disk that was full, left behind the last whole line.
                os.ftruncate(file, self._size)
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            except OSError as error:
                if self._file is not None:
                    with suppress(OSError):
                        os.ftruncate(self._file, self._size)
                raise OSError(error.errno, error.strerror, str(self.path)) from None
        self._size += len(line)
        self.entries.append(entry)

    def close(self) -> None:
        """Close the file; it is opened again where it is needed."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            # A new file's name is on the disk once its folder is.
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return self._file


def read_journal(path: Path) -> tuple[list[Entry], int]:
    """Return the entries of a journal, and how many bytes they take; none where there is no file.

    Raises:
        ValueError: A line but the last torn one is damaged, or the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise ValueError(
            f"journal {path} cannot be read ({error.strerror}); make it a file that you may read"
        ) from None
    size = content.rfind(b"\n") + 1
    if size < len(content):
        log.warning(
            "%s ends in a torn line of %d bytes: a decision that was under way when its server "
            "was killed",
            path,
            len(content) - size,
        )
    lines = content[:size].split(b"\n")[:-1]
    return [_entry(line, f"{path}, line {n}") for n, line in enumerate(lines, start=1)], size


def _line(entry: Entry) -> bytes:
    text = json.dumps(asdict(entry), separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entry(line: bytes, where: str) -> Entry:
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            raise ValueError("its checksum differs")
        cells: dict[str, Any] = json.loads(text)
        cells["images"] = tuple(cells["images"])
        entry = Entry(**cells)
        if entry.action not in ACTIONS:
            raise ValueError(f"unknown action {entry.action}")
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{where} is damaged ({error}): bring the file back from a copy, or delete that line "
            "if what it says may be lost"
        ) from None
    return entry
