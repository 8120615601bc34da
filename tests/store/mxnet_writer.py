"""Writer of MXNet's parameter files, by hand: what MXNet 0.8 (oldest), 0.11 and 1.x write."""

import struct

import numpy as np

KINDS = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6}
VERSIONS = ("oldest", "long_shape", "storage")


def array_bytes(array: np.ndarray, version: str) -> bytes:
    """Return an array as one of the three versions has it."""
    start = {
        "oldest": b"",
        "long_shape": struct.pack("<I", 0xF993FAC8),
        "storage": struct.pack("<Ii", 0xF993FAC9, 0),
    }[version]
    length = "I" if version == "oldest" else "q"
    shape = struct.pack(f"<I{array.ndim}{length}", array.ndim, *array.shape)
    device = struct.pack("<ii", 1, 0)
    kind = struct.pack("<i", KINDS[str(array.dtype)])
    return start + shape + device + kind + array.tobytes()


def params_bytes(arrays: dict[str, np.ndarray], version: str = "oldest") -> bytes:
    """Return a whole file."""
    parts = [struct.pack("<QQQ", 0x112, 0, len(arrays))]
    parts += [array_bytes(np.ascontiguousarray(array), version) for array in arrays.values()]
    parts.append(struct.pack("<Q", len(arrays)))
    parts += [struct.pack("<Q", len(name.encode())) + name.encode() for name in arrays]
    return b"".join(parts)
