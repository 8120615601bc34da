"""A small residual network (0.3 million parameters) for CPU runs, tests and drawn scenes."""

import torch
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone

WIDTHS = (16, 16, 32, 64, 128)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation and a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        """Build the block; a 1x1 convolution adapts the shortcut where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output (B, channels, ceil(h / stride), ceil(w / stride))."""
        branch = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(branch)) + self.shortcut(x))


class Compact(Backbone):
    """A ten-layer residual network of total stride 8 (He et al. 2016, few and narrow blocks)."""

    stage_channels = WIDTHS
    stage_strides = (2, 2, 4, 8, 8)

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.layer1 = BasicBlock(WIDTHS[0], WIDTHS[1], stride=1)
        self.layer2 = BasicBlock(WIDTHS[1], WIDTHS[2], stride=2)
        self.layer3 = BasicBlock(WIDTHS[2], WIDTHS[3], stride=2)
        self.layer4 = BasicBlock(WIDTHS[3], WIDTHS[4], stride=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the stem and the four blocks."""
        stem = (self.conv1, self.bn1, self.relu)
        return stem, (self.layer1,), (self.layer2,), (self.layer3,), (self.layer4,)


def build_backbone() -> Compact:
    """Return the compact backbone with random weights."""
    return Compact()
