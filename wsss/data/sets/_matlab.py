"""A matrix of bytes out of a struct in a MATLAB file of version 5, as SBD's masks are stored.

scipy.io.loadmat ends the process on about one in twenty damaged files (it reads beyond its memory),
so these few parts of the format (MAT-File Level 5, MathWorks) are read here, bounds checked.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

LARGEST = 2**26
"""Bytes that a variable may have when unpacked; a mask has some 200,000."""
_HEADER = 128
_INT8, _UINT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 2, 5, 6, 14, 15
_STRUCT_CLASS, _UINT8_CLASS = 2, 9


def read_bytes_field(content: bytes, variable: str, field: str) -> np.ndarray:
    """Return a field of a variable that is a struct: a matrix (H, W) uint8.

    Args:
        content: Of the file.
        variable: Name of the struct, of one element.
        field: Name of the field.

    Raises:
        ValueError: The file is none of version 5 of this byte order, damaged, or has no such
            variable or field.
    """
    if len(content) < _HEADER or content[124:_HEADER] != b"\0\1IM":
        raise ValueError("not a MATLAB file of version 5")
    for kind, data in _elements(memoryview(content)[_HEADER:]):
        if kind == _COMPRESSED:
            kind, data = next(_elements(_unpacked(data)), (0, data))
        parts = _elements(data)
        if kind != _MATRIX or _matrix_name(parts) != (_STRUCT_CLASS, (1, 1), variable):
            continue
        return _bytes_matrix(_field(parts, field))
    raise ValueError(f"it has no struct {variable}")


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the bytes of each element."""
    position = 0
    while position < len(data):
        if position + 8 > len(data):
            raise ValueError("it ends in the middle of a value")
        first, size = struct.unpack_from("<II", data, position)
        start = position + 8
        if first >> 16:
            # A value of up to four bytes stands within the tag.
            first, size, start = first & 0xFFFF, first >> 16, position + 4
        if size > len(data) - start or (start < position + 8 and size > 4):
            raise ValueError("it ends in the middle of a value")
        yield first, data[start : start + size]
        end = max(start + size, position + 8)
        position = end if first == _COMPRESSED else end + -end % 8


def _unpacked(data: memoryview) -> memoryview:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, LARGEST)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not unpacker.eof:
        raise ValueError(f"it is cut off, or has more than {LARGEST / 2**20:.0f} MB")
    return memoryview(content)


def _next(elements: Iterator[tuple[int, memoryview]], kind: int) -> memoryview:
    found, data = next(elements, (0, memoryview(b"")))
    if found != kind:
        raise ValueError(f"it has a value of type {found} where one of type {kind} belongs")
    return data


def _numbers(data: memoryview) -> tuple[int, ...]:
    if len(data) % 4:
        raise ValueError("it has a number of an odd size")
    return struct.unpack(f"<{len(data) // 4}i", data)


def _matrix_name(parts: Iterator[tuple[int, memoryview]]) -> tuple[int, tuple[int, ...], str]:
    """Return the class, the size and the name of a matrix; its values come next."""
    flags = _numbers(_next(parts, _UINT32))
    size = _numbers(_next(parts, _INT32))
    name = bytes(_next(parts, _INT8)).decode("latin-1")
    return (flags[0] & 0xFF if flags else 0), size, name


def _field(parts: Iterator[tuple[int, memoryview]], field: str) -> memoryview:
    """Return the bytes of a field's matrix."""
    length = _numbers(_next(parts, _INT32))
    names = bytes(_next(parts, _INT8)).decode("latin-1")
    if len(length) != 1 or not 0 < length[0] <= 64:
        raise ValueError("it has a struct without names of fields")
    width = length[0]
    fields = [names[i : i + width].split("\0")[0] for i in range(0, len(names), width)]
    for name in fields:
        data = _next(parts, _MATRIX)
        if name == field:
            return data
    raise ValueError(f"it has no field {field}, but {str(fields)[:60]}")


def _bytes_matrix(data: memoryview) -> np.ndarray:
    parts = _elements(data)
    kind, size, _ = _matrix_name(parts)
    if kind != _UINT8_CLASS or len(size) != 2 or min(size) < 1:
        raise ValueError(f"it has a matrix of class {kind} and size {size}, not one of bytes")
    values = _next(parts, _UINT8)
    if len(values) != size[0] * size[1]:
        raise ValueError(f"it has {len(values)} values in a matrix of {size[0]} x {size[1]}")
    # Columns come first.
    return np.frombuffer(values, dtype=np.uint8).reshape(size[1], size[0]).T
