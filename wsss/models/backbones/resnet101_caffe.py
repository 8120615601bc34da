"""Caffe's ResNet-101 with dilation and stride 8, as DeepLab-v2 uses it."""

import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone

BLOCKS = (3, 4, 23, 3)
STRIDES = (1, 2, 1, 1)
DILATIONS = (1, 1, 2, 4)

STEM = re.compile(r"layer1\.conv1\.(conv|bn)\.(\w+)")
BLOCK = re.compile(
    r"layer([2-5])\.block([1-9]\d?)\.(reduce|conv3x3|increase|shortcut)\.(conv|bn)\.(\w+)"
)
NUMBERS = {"reduce": 1, "conv3x3": 2, "increase": 3}
TENSORS = {
    "conv": {"weight"},
    "bn": {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"},
}


class CaffeBottleneck(nn.Module):
    """Three convolutions with batch normalisation and a shortcut; the first one has the stride.

    torchvision puts the stride into the second one, so its weights do not fit.
    """

    def __init__(self, channels_in: int, channels: int, stride: int, dilation: int) -> None:
        """Build the block; a 1x1 convolution adapts the shortcut where the shape changes."""
        super().__init__()
        middle = channels // 4
        self.conv1 = nn.Conv2d(channels_in, middle, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output (B, channels, h, w)."""
        branch = torch.relu(self.bn1(self.conv1(x)))
        branch = torch.relu(self.bn2(self.conv2(branch)))
        return torch.relu(self.bn3(self.conv3(branch)) + self.shortcut(x))


class ResNet101Caffe(Backbone):
    """ResNet-101 on BGR images minus their mean, without division (DeepLab-v2, Chen et al. 2017).

    The max pooling rounds sizes up; the last two stages are dilated by 2 and 4.
    """

    stage_channels = (64, 256, 512, 1024, 2048)
    stage_strides = (4, 4, 8, 8, 8)
    pixel_mean = (122.675, 116.669, 104.008)
    pixel_std = (1.0, 1.0, 1.0)
    channel_order = "bgr"
    imagenet_head: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "fc.weight": (1000, 2048),
        "fc.bias": (1000,),
    }
    segmentation_head = re.compile(r"(aspp\.c\d|fc)\.(weight|bias)")

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        layers = [
            _layer(self.stage_channels[i], self.stage_channels[i + 1], blocks, stride, dilation)
            for i, (blocks, stride, dilation) in enumerate(
                zip(BLOCKS, STRIDES, DILATIONS, strict=True)
            )
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the stem and the four residual stages."""
        stem = (self.conv1, self.bn1, self.relu, self.maxpool)
        return stem, (self.layer1,), (self.layer2,), (self.layer3,), (self.layer4,)

    def own_name(self, official: str) -> str:
        """Return our name of a tensor in files of kazuto1011/deeplab-pytorch."""
        return deeplab_pytorch_name(official.removeprefix("base.")) or official


def build_backbone() -> ResNet101Caffe:
    """Return Caffe's ResNet-101 with random weights."""
    return ResNet101Caffe()


def deeplab_pytorch_name(name: str) -> str:
    """Return our name of a backbone's tensor in kazuto1011/deeplab-pytorch; "" if unknown.

    Args:
        name: There, without `base.`.
    """
    if match := STEM.fullmatch(name):
        kind, tensor = match.groups()
        return f"{kind}1.{tensor}" if tensor in TENSORS[kind] else ""
    match = BLOCK.fullmatch(name)
    if match is None:
        return ""
    layer, block, part, kind, tensor = match.groups()
    if tensor not in TENSORS[kind] or int(block) > BLOCKS[int(layer) - 2]:
        return ""
    block_name = f"layer{int(layer) - 1}.{int(block) - 1}"
    if part == "shortcut":
        return f"{block_name}.shortcut.{('conv', 'bn').index(kind)}.{tensor}"
    return f"{block_name}.{kind}{NUMBERS[part]}.{tensor}"


def _layer(
    channels_in: int, channels: int, blocks: int, stride: int, dilation: int
) -> nn.Sequential:
    first = CaffeBottleneck(channels_in, channels, stride, dilation)
    rest = (CaffeBottleneck(channels, channels, 1, dilation) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)
