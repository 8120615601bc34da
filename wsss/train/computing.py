"""How a training computes: the precision of convolutions, their memory layout, compiled or not."""

import os
import shutil
from collections.abc import Callable

import torch
from torch import nn

from wsss.models.backbones.backbone import Backbone, check_precision

COMPILERS = ("c++", "g++", "clang++")


def set_computing(
    network: nn.Module, *, precision: str, channels_last: bool, compiled: bool
) -> None:
    """Set how a network on its device computes, in place, for the rest of this process.

    Weights, their gradients and the optimiser stay in full precision, and so do the heads and the
    losses: distances of features and sums over a batch have more digits than bfloat16.

    Args:
        network: A classifier, boundary network or segmenter.
        precision: `full`, or `bfloat16` for the convolutions of the backbone.
        channels_last: Whether the channels of a pixel lie side by side in memory.
        compiled: Whether torch.compile makes kernels for this network and these sizes; that takes a
            minute or more, once.

    Raises:
        ValueError: The precision is unknown or the GPU does not have it, or there is no compiler.
    """
    check_precision(precision)
    on_gpu = next(network.parameters()).is_cuda
    if precision == "bfloat16" and on_gpu and not torch.cuda.is_bf16_supported(False):
        raise ValueError(
            f"{torch.cuda.get_device_name()} does not compute in bfloat16: set "
            "computing.precision to full, or ask the cluster for a GPU of the Ampere generation "
            "or later"
        )
    backbones = [part for part in network.modules() if isinstance(part, Backbone)]
    for backbone in backbones:
        backbone.precision = precision
    if channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if compiled:
        _check_compiler(shutil.which)
        # The backbones too: W-OoD calls what is in a classifier, not the classifier.
        for part in {network, *backbones}:
            part.compile(dynamic=False)


def _check_compiler(find: Callable[[str], str | None]) -> None:
    names = (os.environ["CXX"],) if os.environ.get("CXX") else COMPILERS
    if not any(map(find, names)):
        raise ValueError(
            f"computing.compiled needs a C++ compiler where the training runs, but there is no "
            f"{' or '.join(names)}: install one (on a cluster, load its module), or set "
            "computing.compiled to false"
        )
