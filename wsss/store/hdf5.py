"""What our HDF5 files share: a kind, attributes, checksums, and a mark that they are complete."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wsss.store.atomic import atomic_path

# Metadata of this version carry checksums, and chunks get their own below: a flipped bit is an
# error, not a wrong number. Only the heap of texts of variable length has none, and a damaged one
# can hold the library up for ever, so texts have a fixed length here. The upper bound keeps files
# equal under later libraries.
VERSIONS = ("v110", "v110")
CHUNK_BYTES = 2**16
REMEDY = "delete it and run the workflow again"


class _Output(io.FileIO):
    """A file to write that keeps its first failure to itself.

    The HDF5 library, told of a write that failed (a full disk), ends the process by a segmentation
    fault when it closes.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of the data, unless an earlier write failed."""
        left = memoryview(data)
        size = len(left)
        try:
            while self.failure is None and left:
                left = left[super().write(left) :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size, unless an earlier write failed."""
        try:
            if self.failure is None:
                return super().truncate(size)
        except OSError as error:
            self.failure = error
        return size or 0


class OutputFile(h5py.File):
    """An HDF5 file that is being written."""

    def __init__(self, output: _Output) -> None:
        super().__init__(output, "w", libver=VERSIONS)
        self.output = output

    def raise_failure(self) -> None:
        """Stop a long computation early.

        Raises:
            OSError: The disk did not take what was written so far.
        """
        if self.output.failure:
            raise self.output.failure


@contextmanager
def create_hdf5(path: Path | str, kind: str, attributes: Mapping[str, Any]) -> Iterator[OutputFile]:
    """Yield a file to fill, which replaces `path`, marked complete, when the block ends.

    Args:
        path: Where to.
        kind: What the file holds; `open_hdf5` refuses any other kind.
        attributes: Anything that JSON can hold.

    Raises:
        TypeError: JSON cannot hold the attributes.
        WriteError: The disk is full or does not take the file for another reason.
    """
    text = json.dumps(dict(attributes), sort_keys=True)
    with atomic_path(path) as temporary, _Output(temporary, "w+") as output:
        try:
            with OutputFile(output) as file:
                yield file
                file.attrs["kind"] = np.bytes_(kind.encode())
                file.attrs["attributes"] = np.bytes_(text.encode())
                file.attrs["complete"] = True
        finally:
            # Closing writes, too.
            if output.failure:
                raise output.failure


def open_hdf5(path: Path | str, kind: str | None) -> tuple[h5py.File, dict[str, Any]]:
    """Return a complete file of that kind (None: of any), open for reading, and its attributes.

    Raises:
        ValueError: The file is missing, truncated, damaged, not complete, or of another kind.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path} does not exist; run the step that makes it again")
    with readable(path):
        # A finished file never changes, and some cluster file systems have no locks.
        file = h5py.File(path, "r", locking=False)
    try:
        with readable(path):
            found, complete = _kind(file), bool(file.attrs.get("complete", False))
            attributes = file.attrs.get("attributes", b"{}")
        if found is None or kind not in (found, None) or not isinstance(attributes, bytes):
            raise ValueError(f"{path} is no {kind or 'HDF5'} file of this workflow; {REMEDY}")
        if not complete:
            raise ValueError(f"{path} is not complete; {REMEDY}")
        return file, json.loads(attributes)
    except BaseException:
        file.close()
        raise


def _kind(file: h5py.File) -> str | None:
    kind = file.attrs.get("kind")
    return kind.decode() if isinstance(kind, bytes) else None


@contextmanager
def readable(path: Path | str) -> Iterator[None]:
    """Turn what h5py raises on a damaged file into one sentence.

    Raises:
        ValueError: The block met damage in `path`.
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as HDF5 ({reason}); {REMEDY}") from None


def create_dataset(file: h5py.File, name: str, values: np.ndarray) -> h5py.Dataset:
    """Return a new compressed data set with checksums that can grow along its first axis.

    Rows without elements make a plain one: HDF5 has no chunks of nothing.
    """
    if 0 in values.shape[1:]:
        return file.create_dataset(name, data=values, track_times=False)
    row_bytes = values.dtype.itemsize * int(np.prod(values.shape[1:], dtype=np.int64))
    rows = max(1, CHUNK_BYTES // max(1, row_bytes))
    return file.create_dataset(
        name,
        data=values,
        maxshape=(None, *values.shape[1:]),
        chunks=(rows, *values.shape[1:]),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
        fletcher32=True,
        track_times=False,
    )


def text_to_bytes(text: np.ndarray) -> np.ndarray:
    """Return strings as fixed-width UTF-8, the only form whose bytes in a file are always equal."""
    flat = [str(item).encode() for item in text.reshape(-1)]
    return np.array(flat, dtype=f"S{max(map(len, flat), default=0) or 1}").reshape(text.shape)


def bytes_to_text(values: np.ndarray) -> np.ndarray:
    """Return strings from fixed-width UTF-8."""
    flat = [item.decode() for item in values.reshape(-1)]
    return np.array(flat, dtype=np.str_).reshape(values.shape)


def verify_hdf5(path: Path | str) -> None:
    """Read all of a complete file, of whatever kind, so that every checksum is compared.

    Raises:
        ValueError: The file is missing, truncated, damaged or not complete.
    """
    file, _ = open_hdf5(path, None)
    with file, readable(path):
        for name in file:
            file[name][()]
