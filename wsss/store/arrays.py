"""Named arrays in one HDF5 file: features, scores, clusters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss.store.hdf5 import (
    bytes_to_text,
    create_dataset,
    create_hdf5,
    open_hdf5,
    readable,
    text_to_bytes,
)

KIND = "arrays"


def write_arrays(
    path: Path | str, arrays: Mapping[str, np.ndarray], *, attributes: Mapping[str, Any]
) -> None:
    """Write arrays of numbers or strings, atomically; equal contents give equal bytes.

    Args:
        path: Where to.
        arrays: By name; numbers or booleans of any shape, or strings.
        attributes: Anything that JSON can hold.

    Raises:
        ValueError: An array holds neither numbers nor strings.
    """
    with create_hdf5(path, KIND, attributes) as file:
        for name in sorted(arrays):
            _write(file, name, np.asarray(arrays[name]), path)


def _write(file: Any, name: str, values: np.ndarray, path: Path | str) -> None:
    is_text = values.dtype.kind == "U" or (
        values.dtype == object and all(isinstance(item, str) for item in values.flat)
    )
    if not is_text and values.dtype.kind not in "biuf":
        raise ValueError(
            f"array {name!r} for {path} has type {values.dtype}; make it numbers or strings"
        )
    stored = text_to_bytes(values) if is_text else values
    # A scalar cannot grow or be compressed, so it is stored as one row.
    dataset = create_dataset(file, name, stored.reshape(-1) if stored.ndim == 0 else stored)
    dataset.attrs["is_scalar"] = stored.ndim == 0
    dataset.attrs["is_text"] = is_text


def read_arrays(
    path: Path | str, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the named arrays and the file's attributes.

    Raises:
        ValueError: The file is missing, damaged, not complete, of another kind or lacks a name.
    """
    file, attributes = open_hdf5(path, KIND)
    with file:
        with readable(path):
            known = sorted(file)
        missing = [name for name in names if name not in known]
        if missing:
            raise ValueError(f"{path} lacks {', '.join(missing)}; it has {', '.join(known)}")
        with readable(path):
            return {name: _read(file[name]) for name in names}, attributes


def _read(dataset: Any) -> np.ndarray:
    values = dataset[()]
    if dataset.attrs["is_text"]:
        values = bytes_to_text(values)
    return values.reshape(()) if dataset.attrs["is_scalar"] else values
