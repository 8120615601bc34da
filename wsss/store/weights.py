"""Weights of networks as safetensors, and the PyTorch and MXNet files of others."""

import hashlib
import json
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from wsss.store.atomic import atomic_path
from wsss.store.mxnet_params import START, read_mxnet_params

REMEDY = "delete it and run the workflow again"
CHECKSUM = "sha256"
# Torch's reader meets foreign bytes with whatever error its current step has.
UNREADABLE = (
    *(RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, MemoryError),
    *(AssertionError, AttributeError, ArithmeticError, struct.error, SafetensorError),
)
# Keys under which training scripts nest the weights beside an epoch or an optimizer.
NESTED = ("state_dict", "model", "model_state_dict")


def save_weights(
    path: Path | str, state_dict: Mapping[str, torch.Tensor], *, metadata: Mapping[str, str]
) -> None:
    """Write tensors as safetensors, atomically; equal contents give equal bytes.

    Args:
        path: Where to.
        state_dict: Tensors by name, of any device; stored as they are, without pickle.
        metadata: Strings by name; "sha256" is ours.

    Raises:
        ValueError: A metadata value is no string.
    """
    wrong = [name for name, value in metadata.items() if not isinstance(value, str)]
    if wrong or CHECKSUM in metadata:
        raise ValueError(
            f"metadata for {path}: {', '.join(wrong) or CHECKSUM} must be a string of another name"
        )
    # Cloned: safetensors refuses tensors that share memory, as tied weights do.
    tensors = {
        name: tensor.detach().cpu().contiguous().clone() for name, tensor in state_dict.items()
    }
    header, data = _split(save(tensors))
    header["__metadata__"] = dict(metadata)
    header["__metadata__"][CHECKSUM] = _digest(header, data)
    # The library writes metadata in an order that changes from run to run, so we write the header.
    text = _header_text(header)
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.write(data)


def _header_text(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _digest(header: Mapping[str, Any], data: memoryview) -> str:
    """Return the checksum of tensors, their names and the metadata."""
    digest = hashlib.sha256(_header_text(header))
    digest.update(data)
    return digest.hexdigest()


def _split(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the header and the data of a safetensors file."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), memoryview(content)[8 + length :]


def load_weights(path: Path | str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return the tensors by name, sorted, on the CPU, and the metadata that `save_weights` wrote.

    Raises:
        ValueError: The file is missing, no safetensors file, damaged, or from elsewhere.
    """
    content = _content(path)
    try:
        tensors = load(content)
        header, data = _split(content)
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{path} is no safetensors file ({error}); {REMEDY}") from None
    metadata = dict(header.get("__metadata__", {}))
    if CHECKSUM not in metadata:
        raise ValueError(f"{path} was not written by this workflow; {REMEDY}")
    checksum = metadata.pop(CHECKSUM)
    if checksum != _digest({**header, "__metadata__": metadata}, data):
        raise ValueError(f"{path} is damaged (its checksum differs); {REMEDY}")
    # The library gives them in another order each time.
    return dict(sorted(tensors.items())), metadata


def _content(path: Path | str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ValueError(
            f"weights {path} do not exist; link them there or run the step that makes them"
        ) from None
    except OSError as error:
        raise ValueError(
            f"weights {path} cannot be read ({error.strerror}); make them a file that you may read"
        ) from None


def is_safetensors(path: Path | str) -> bool:
    """Return whether a file begins as safetensors do: the length of a header, and the header."""
    return _beginning(path, 9)[8:] == b"{"


def _beginning(path: Path | str, count: int) -> bytes:
    """Return the first bytes of a file; none of one that cannot be read, whose reader says so."""
    try:
        with Path(path).open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def load_state_of_others(path: Path | str) -> dict[str, torch.Tensor]:
    """Return the tensors of a file of others by name: MXNet's by its beginning, else PyTorch's.

    Raises:
        ValueError: As in `read_mxnet_params` and `load_torch_state`.
    """
    if _beginning(path, len(START)) == START:
        return read_mxnet_params(path)
    return load_torch_state(path)


def load_torch_file(path: Path | str) -> Any:
    """Return what a PyTorch file of others holds, on the CPU, without running any of its code.

    Raises:
        ValueError: The file is missing, no PyTorch file, or holds more than tensors, numbers,
            strings and their containers.
    """
    if not Path(path).is_file():
        raise ValueError(f"weights {path} do not exist; link them there")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            f"weights {path} are refused: they hold more than tensors, which could run code; "
            "save their state dict alone where you trust them, and use that file"
        ) from None
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"weights {path} cannot be read as a PyTorch file ({reason}); fetch them again"
        ) from None


def load_torch_state(path: Path | str) -> dict[str, torch.Tensor]:
    """Return the state dict that a PyTorch file of others is, or holds under a usual name.

    Raises:
        ValueError: As in `load_torch_file`, or there is no state dict.
    """
    content = load_torch_file(path)
    for key in NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not (
        isinstance(content, Mapping)
        and content
        and all(isinstance(n, str) and isinstance(t, torch.Tensor) for n, t in content.items())
    ):
        raise ValueError(
            f"{path} is no checkpoint: it holds no state dict (tensors by name) but a "
            f"{type(content).__name__}; save the network's state_dict()"
        )
    return dict(content)
