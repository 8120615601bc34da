"""Files that appear whole or not at all."""

import os
import re
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsss.disk import write_errors

LONGEST_NAME = 100
TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{12}\.tmp(\.[^.]*)?")
# What a folder held at this process's first write into it, by the name that a file's temporary
# ones share: one listing serves the thousands of masks of a folder.
_left_over: dict[Path, dict[str, list[Path]]] = {}


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it when the block ends without an error.

    The folder of `path` is made where it is missing. After an error, `path` is what it was before
    and the temporary file is gone. What a killed process left of an earlier attempt goes, too.

    Yields:
        A path in the same folder, with the same suffix; the block must write a file there.

    Raises:
        WriteError: The disk is full or does not take the file for another reason.
    """
    path = Path(path)
    # Not tempfile: it makes files that only their owner may read, and the result keeps that mode.
    name = f".{_shared_name(path)}.{uuid.uuid4().hex[:12]}.tmp{path.suffix}"
    temporary = path.with_name(name)
    with write_errors(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_left_over(path)
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def remove_left_over(path: Path) -> None:
    """Delete the temporary files of `path` that stood there before this process wrote beside it."""
    folder = path.parent.absolute()
    if folder not in _left_over:
        _left_over[folder] = {}
        for found in folder.glob(".*.tmp*"):
            if match := TEMPORARY.fullmatch(found.name):
                _left_over[folder].setdefault(match["name"] + found.suffix, []).append(found)
    own_suffix = path.suffix or ".tmp"
    for found in _left_over[folder].pop(_shared_name(path) + own_suffix, []):
        found.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as written:
        try:
            os.fsync(written.fileno())
        except OSError as error:
            # The system's own error names no file.
            raise OSError(error.errno, error.strerror, str(path)) from None


def _shared_name(path: Path) -> str:
    """Return the stem, or its checksum where a longer name might be refused."""
    stem = path.stem.encode()
    return path.stem if len(stem) <= LONGEST_NAME else f"{zlib.crc32(stem):08x}"
