"""Wide ResNet-38 with stride 8 (Wu et al. 2019, model A1), as PSA, SEAM, EPS and HFPL use it."""

import re
from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone

# Levels of blocks with two convolutions: blocks, middle and last channels, stride, dilation.
LEVELS = {
    2: (3, 128, 128, 2, 1),
    3: (3, 256, 256, 2, 1),
    4: (6, 512, 512, 2, 1),
    5: (3, 512, 1024, 1, 2),
}
# Levels of one bottleneck each: its channels and dropout.
BOTTLENECKS = {6: (2048, 0.3), 7: (4096, 0.5)}
BOTTLENECK_DILATION = 4

MXNET_NAME = re.compile(
    r"(arg|aux):(?P<kind>conv|res|bn)(?P<level>\d)(a|b(?P<block>\d+))?(_(?P<branch>branch\w+?))?"
    r"_(?P<tensor>weight|gamma|beta|moving_mean|moving_var)"
)
MXNET_TENSORS = {
    "weight": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_var": "running_var",
}


class ResidualBlock(nn.Module):
    """Convolutions after normalisation and rectification, with a shortcut (He et al. 2016b).

    A block that keeps its input's shape normalises and rectifies it itself, and its shortcut is
    the bare input. One that changes the shape expects an input that already is, for its shortcut
    is a 1x1 convolution of that. Layers have the official code's names.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        """Build the block's beginning; a child adds its convolutions."""
        super().__init__()
        self.bn_branch2a: nn.BatchNorm2d | None = None
        self.conv_branch1: nn.Conv2d | None = None
        if stride > 1 or channels_in != channels:
            self.conv_branch1 = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
        else:
            self.bn_branch2a = nn.BatchNorm2d(channels_in)

    def branch(self, x: Tensor) -> Tensor:
        """Return the convolutions' output, a tensor of its own, of a rectified input."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output (B, channels, h, w)."""
        shortcut = x if self.conv_branch1 is None else self.conv_branch1(x)
        branch = self.branch(x if self.bn_branch2a is None else _activated(self.bn_branch2a, x))
        return branch.add_(shortcut)


class WideBlock(ResidualBlock):
    """Two 3x3 convolutions."""

    def __init__(
        self, channels_in: int, middle: int, channels: int, stride: int, dilations: tuple[int, int]
    ) -> None:
        """Build the block with the dilation of each of its convolutions."""
        super().__init__(channels_in, channels, stride)
        first, second = dilations
        self.conv_branch2a = nn.Conv2d(
            channels_in, middle, 3, stride, padding=first, dilation=first, bias=False
        )
        self.bn_branch2b1 = nn.BatchNorm2d(middle)
        self.conv_branch2b1 = nn.Conv2d(
            middle, channels, 3, padding=second, dilation=second, bias=False
        )

    def branch(self, x: Tensor) -> Tensor:
        """Return the second convolution's output."""
        return self.conv_branch2b1(_activated(self.bn_branch2b1, self.conv_branch2a(x)))


class Bottleneck(ResidualBlock):
    """A 1x1, a dilated 3x3 and a 1x1 convolution; whole channels are dropped before the last two.

    Dropout before both is the class-map code's; ademxapp's own has it before the last one.
    """

    def __init__(self, channels_in: int, channels: int, dropout: float) -> None:
        """Build the block."""
        super().__init__(channels_in, channels, 1)
        dilation = BOTTLENECK_DILATION
        narrow, wide = channels // 4, channels // 2
        self.conv_branch2a = nn.Conv2d(channels_in, narrow, 1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(narrow)
        self.conv_branch2b1 = nn.Conv2d(
            narrow, wide, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.bn_branch2b2 = nn.BatchNorm2d(wide)
        self.conv_branch2b2 = nn.Conv2d(wide, channels, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def branch(self, x: Tensor) -> Tensor:
        """Return the last convolution's output."""
        x = self.dropout(_activated(self.bn_branch2b1, self.conv_branch2a(x)))
        x = self.dropout(_activated(self.bn_branch2b2, self.conv_branch2b1(x)))
        return self.conv_branch2b2(x)


class WideResNet38(Backbone):
    """The network of ademxapp's ilsvrc-cls_rna-a1, dilated to stride 8, without its head.

    A stage ends with the normalisation and rectification of its features, which the official code
    counts to the next block: stages 3, 4 and 5 are what SEAM's code calls conv4, conv5 and conv6,
    and stage 1 is what EPS and SEAM freeze (conv1a, b2, b2_1, b2_2).
    """

    stage_channels = (128, 256, 512, 1024, 4096)
    stage_strides = (2, 4, 8, 8, 8)
    imagenet_head: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "arg:linear1000_weight": (1000, 4096),
        "arg:linear1000_bias": (1000,),
    }
    segmentation_head = re.compile(r"arg:linear\d+_(weight|bias)")

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        channels = 64
        self.relu = nn.ReLU(inplace=True)
        self.conv1a = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        for level, (blocks, middle, width, stride, dilation) in LEVELS.items():
            self.add_module(f"b{level}_bn", nn.BatchNorm2d(channels))
            first = WideBlock(channels, middle, width, stride, (1, dilation))
            self.add_module(f"b{level}", first)
            for number in range(1, blocks):
                block = WideBlock(width, middle, width, 1, (dilation, dilation))
                self.add_module(f"b{level}_{number}", block)
            channels = width
        for level, (width, dropout) in BOTTLENECKS.items():
            self.add_module(f"b{level}_bn", nn.BatchNorm2d(channels))
            self.add_module(f"b{level}", Bottleneck(channels, width, dropout))
            channels = width
        self.bn7 = nn.BatchNorm2d(channels)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the stem with level 2, levels 3 to 5, and the two bottlenecks."""
        child = self.get_submodule
        levels = []
        for level, (blocks, *_) in LEVELS.items():
            names = [f"b{level}", *(f"b{level}_{number}" for number in range(1, blocks))]
            levels.append((*map(child, names), child(f"b{level + 1}_bn"), self.relu))
        stem = (self.conv1a, child("b2_bn"), self.relu)
        last = (child("b6"), child("b7_bn"), self.relu, child("b7"), self.bn7, self.relu)
        return ((*stem, *levels[0]), *levels[1:], last)

    def own_name(self, official: str) -> str:
        """Return our name of a tensor in ademxapp's files or in those of the class-map code."""
        if match := MXNET_NAME.fullmatch(official):
            official = _class_map_name(**match.groupdict())
        # The first normalisation of a block that changes the shape is ours before the block.
        return re.sub(r"^(b[2-7])\.bn_branch2a\.", r"\1_bn.", official)


def build_backbone() -> WideResNet38:
    """Return Wide ResNet-38 with random weights."""
    return WideResNet38()


def _class_map_name(
    kind: str, level: str, block: str | None, branch: str | None, tensor: str
) -> str:
    """Return the class-map code's name of an MXNet tensor."""
    if branch is None:
        layer = {"conv": f"conv{level}a", "bn": f"bn{level}"}.get(kind, "")
    else:
        name = f"b{level}_{block}" if block else f"b{level}"
        layer = f"{name}.{'bn' if kind == 'bn' else 'conv'}_{branch}"
    return f"{layer}.{MXNET_TENSORS[tensor]}"


def _activated(normalization: nn.BatchNorm2d, x: Tensor) -> Tensor:
    return F.relu(normalization(x), inplace=True)
