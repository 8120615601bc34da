"""Reader of MXNet's parameter files (.params): arrays by name, in the binary form of NDArray lists.

All numbers are little-endian. A file is 0x112 (u64), 0 (u64), the number of arrays (u64), the
arrays, the number of names (u64) and the names, each its length (u64) and UTF-8. An array is its
shape, a device (i32 type, i32 number), a type (i32) and its values in C order. Three versions of
the shape are known (apache/mxnet, src/ndarray/ndarray.cc): the oldest is the number of dimensions
and these (u32); the next one puts 0xF993FAC8 before it, and has dimensions of i64; in the third,
0xF993FAC9 and a kind of storage (i32, 0 being dense) come before that.
"""

import io
import math
import os
import struct
from pathlib import Path

import numpy as np
import torch

MAGIC = 0x112
START = struct.pack("<Q", MAGIC)
WITH_LONG_SHAPE = 0xF993FAC8
WITH_STORAGE = 0xF993FAC9
DENSE = 0
MOST_DIMENSIONS = 8
TYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}


class _DamagedError(ValueError):
    """What is wrong with a file, as part of a sentence."""


class _Stream:
    """A file that never gives more than it has."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file
        self.left = os.fstat(file.fileno()).st_size

    def bytes(self, count: int) -> bytearray:
        if count > self.left:
            raise _DamagedError(f"it ends {count - self.left} bytes early")
        found = bytearray(count)
        if self.file.readinto(found) != count:
            raise _DamagedError("it was cut while it was read")
        self.left -= count
        return found

    def number(self, kind: str) -> int:
        return int(struct.unpack(f"<{kind}", self.bytes(struct.calcsize(f"<{kind}")))[0])


def read_mxnet_params(path: Path | str) -> dict[str, torch.Tensor]:
    """Return the tensors of a parameter file by name (`arg:conv1a_weight`), on the CPU.

    Every length is checked against what is left of the file before anything is allocated.

    Raises:
        ValueError: The file is missing, damaged, of another version, or no such file.
    """
    try:
        with Path(path).open("rb") as file:
            return _read_list(_Stream(file))
    except OSError as error:
        raise ValueError(
            f"weights {path} cannot be read ({error.strerror}); make them a file that you may read"
        ) from None
    except _DamagedError as error:
        raise ValueError(
            f"{path} is no MXNet parameter file that can be read ({error}); fetch it again"
        ) from None


def _read_list(stream: _Stream) -> dict[str, torch.Tensor]:
    if (stream.number("Q"), stream.number("Q")) != (MAGIC, 0):
        raise _DamagedError("it begins as another kind of file")
    arrays = []
    for _ in range(stream.number("Q")):
        arrays.append(_read_array(stream))
    count = stream.number("Q")
    if count != len(arrays):
        raise _DamagedError(f"it has {len(arrays)} arrays, but {count} names")
    names = [_read_name(stream) for _ in arrays]
    if stream.left:
        raise _DamagedError(f"it goes on for {stream.left} bytes after its end")
    if len(set(names)) != len(names):
        raise _DamagedError("two of its arrays have one name")
    return dict(zip(names, arrays, strict=True))


def _read_name(stream: _Stream) -> str:
    try:
        return stream.bytes(stream.number("Q")).decode()
    except UnicodeDecodeError:
        raise _DamagedError("the name of an array is no text") from None


def _read_array(stream: _Stream) -> torch.Tensor:
    shape = _read_shape(stream)
    stream.bytes(8)  # The device it was on.
    kind = stream.number("i")
    if kind not in TYPES:
        raise _DamagedError(f"an array has the unknown type {kind}")
    dtype = np.dtype(TYPES[kind])
    values = stream.bytes(math.prod(shape) * dtype.itemsize)
    array = np.frombuffer(values, dtype).reshape(shape)
    return torch.from_numpy(array.astype(dtype.newbyteorder("="), copy=False))


def _read_shape(stream: _Stream) -> tuple[int, ...]:
    version, length = stream.number("I"), "q"
    if version == WITH_STORAGE:
        if stream.number("i") != DENSE:
            raise _DamagedError("an array is sparse")
        dimensions = stream.number("I")
    elif version == WITH_LONG_SHAPE:
        dimensions = stream.number("I")
    else:
        dimensions, length = version, "I"
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise _DamagedError(f"an array has {dimensions} dimensions, not 1 to {MOST_DIMENSIONS}")
    shape = tuple(stream.number(length) for _ in range(dimensions))
    if min(shape) < 1:
        raise _DamagedError(f"an array has the shape {shape}")
    return shape
