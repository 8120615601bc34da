"""Wide ResNet-38 step by step, from tensors under the names of the official class-map code.

Every block normalises and rectifies its own input, as the paper draws it (Wu et al. 2019, fig. 3);
nothing is done in place. Evaluation only: running statistics, no dropout.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

# Block, stride and dilation of its 3x3 convolutions, in order.
BLOCKS = [
    *[("b2", 2, (1, 1)), ("b2_1", 1, (1, 1)), ("b2_2", 1, (1, 1))],
    *[("b3", 2, (1, 1)), ("b3_1", 1, (1, 1)), ("b3_2", 1, (1, 1))],
    *[("b4", 2, (1, 1)), ("b4_1", 1, (1, 1)), ("b4_2", 1, (1, 1))],
    *[("b4_3", 1, (1, 1)), ("b4_4", 1, (1, 1)), ("b4_5", 1, (1, 1))],
    *[("b5", 1, (1, 2)), ("b5_1", 1, (2, 2)), ("b5_2", 1, (2, 2))],
]


def rectified(tensors: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Return an input after the normalisation `name` and a rectifier."""
    mean, variance = (tensors[f"{name}.running_{what}"][:, None, None] for what in ("mean", "var"))
    scale, shift = (tensors[f"{name}.{what}"][:, None, None] for what in ("weight", "bias"))
    return ((x - mean) / torch.sqrt(variance + 1e-5) * scale + shift).clamp(min=0)


def wide_resnet38_stages(tensors: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
    """Return what the blocks b3 to b6 begin with, and the rectified end, of a normalised batch."""
    x = F.conv2d(x, tensors["conv1a.weight"], padding=1)
    found = []
    for block, stride, (first, second) in BLOCKS:
        begin = rectified(tensors, f"{block}.bn_branch2a", x)
        if block in ("b3", "b4", "b5"):
            found.append(begin)
        weights = [tensors.get(f"{block}.conv_branch{n}.weight") for n in ("1", "2a", "2b1")]
        shortcut = x if weights[0] is None else F.conv2d(begin, weights[0], stride=stride)
        middle = F.conv2d(begin, weights[1], stride=stride, padding=first, dilation=first)
        middle = rectified(tensors, f"{block}.bn_branch2b1", middle)
        x = shortcut + F.conv2d(middle, weights[2], padding=second, dilation=second)
    for block in ("b6", "b7"):
        begin = rectified(tensors, f"{block}.bn_branch2a", x)
        if block == "b6":
            found.append(begin)
        shortcut = F.conv2d(begin, tensors[f"{block}.conv_branch1.weight"])
        middle = F.conv2d(begin, tensors[f"{block}.conv_branch2a.weight"])
        middle = rectified(tensors, f"{block}.bn_branch2b1", middle)
        middle = F.conv2d(middle, tensors[f"{block}.conv_branch2b1.weight"], padding=4, dilation=4)
        middle = rectified(tensors, f"{block}.bn_branch2b2", middle)
        x = shortcut + F.conv2d(middle, tensors[f"{block}.conv_branch2b2.weight"])
    return [*found, rectified(tensors, "bn7", x)]
