"""Tensors of others under our names: all of them, each once, each of its shape."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn


def rename_exactly(
    state: Mapping[str, Tensor],
    network: nn.Module,
    our_name: Callable[[str], str | None],
    *,
    source: str,
) -> dict[str, Tensor]:
    """Return a whole state dict of `network` from one under other names.

    Counters of batch normalisation, which old files lack, start from zero.

    Args:
        state: Tensors by their names in the file; a leading `module.` does not count.
        network: Ours; it is not changed, and may be without memory (device meta).
        our_name: Our name of a tensor, or None for one that is left out.
        source: The network that the file must be of, for the sentence of an error.

    Raises:
        ValueError: A tensor is unknown, missing, there twice, or of another shape or type.
    """
    expected = network.state_dict()
    renamed: dict[str, Tensor] = {}
    for official, tensor in state.items():
        name = our_name(official.removeprefix("module."))
        if name is None:
            continue
        if name not in expected:
            raise ValueError(f"tensor {official!r} does not belong to {source}: give its own file")
        if name in renamed:
            raise ValueError(
                f"tensor {official!r} is there twice, under two names: give a file of {source}"
            )
        _check_tensor(official, tensor, expected[name], source)
        renamed[name] = tensor
    for name in expected.keys() - renamed.keys():
        if name.endswith("num_batches_tracked"):
            renamed[name] = torch.zeros((), dtype=torch.long)
    missing = sorted(expected.keys() - renamed.keys())
    if missing:
        raise ValueError(
            f"the file lacks {len(missing)} tensors, the first for our {missing[0]!r} of shape "
            f"{tuple(expected[missing[0]].shape)}: give a whole file of {source}"
        )
    return renamed


def _check_tensor(official: str, tensor: Tensor, ours: Tensor, source: str) -> None:
    if tensor.shape != ours.shape:
        raise ValueError(
            f"tensor {official!r} has shape {tuple(tensor.shape)}, expected {tuple(ours.shape)}: "
            f"give a file of {source}"
        )
    if tensor.is_floating_point() != ours.is_floating_point():
        raise ValueError(
            f"tensor {official!r} is of {tensor.dtype}, expected {ours.dtype}: give a file of "
            f"{source}"
        )
