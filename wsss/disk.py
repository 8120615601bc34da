"""What a disk refuses to take, in one sentence."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What an engine writes for itself before the first job, more or less.
ROOM = 2**18

# These come from writing alone, whatever else the block does.
REASONS = {
    errno.ENOSPC: "the disk is full; make room on it",
    errno.EDQUOT: "your quota of the disk is used up; make room in it",
    errno.EFBIG: "it would be larger than a limit allows; raise it (ulimit -f, or the disk's own)",
    errno.EROFS: "the disk is read-only; let it be written, or choose another folder",
}
# These may come from reading as well, and count where they name the file or a folder above it.
REASONS_OF_A_PLACE = {
    errno.EIO: "the disk failed; have it looked at, or choose another folder",
    errno.EACCES: "permission is denied; let the folder be written, or choose another one",
    errno.EPERM: "the folder may not be changed; let it be written, or choose another one",
    errno.EEXIST: "a folder above it is a file; move that file away",
    errno.ENOTDIR: "a folder above it is a file; move that file away",
    errno.EISDIR: "a folder has its name; move that folder away",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}


class WriteError(ValueError):
    """A file could not be written; the text says which, why, and what to do."""


@contextmanager
def write_errors(path: Path, *others: Path) -> Iterator[None]:
    """Turn the errors of a disk that does not take a file into one sentence.

    Args:
        path: The file that the sentence names.
        others: Files beside it that the block writes on the way.

    Raises:
        WriteError: The block could not write.
    """
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        reason = REASONS.get(number)
        named = error.filename
        if isinstance(named, str | os.PathLike) and Path(named) in (path, *others, *path.parents):
            reason = reason or REASONS_OF_A_PLACE.get(number)
        if reason is None:
            raise
        raise WriteError(f"{path} cannot be written: {reason}, and start again") from None


def check_writable(folder: Path) -> None:
    """Write a file into a folder, which is made where it is missing, and take it away again.

    Raises:
        WriteError: The disk is full or does not take it for another reason.
    """
    path = folder / f".check.{os.getpid()}.tmp"
    with write_errors(folder, path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(bytes(ROOM))
        finally:
            path.unlink(missing_ok=True)
