"""The official Wide ResNet-38 by its own tensor names, and filled by the rule of a golden case."""

import re

import torch

from tests import golden
from wsss.models.backbones.wide_resnet38 import WideResNet38

# Level: blocks, input, middle and output channels.
LEVELS = {
    2: (3, 64, 128, 128),
    3: (3, 128, 256, 256),
    4: (6, 256, 512, 512),
    5: (3, 512, 512, 1024),
}
MXNET_TENSORS = {
    **{"weight": "gamma", "bias": "beta"},
    **{"running_mean": "moving_mean", "running_var": "moving_var"},
}
SEAM_LAYERS = {
    "f8_3.weight": (64, 512, 1, 1),
    "f8_4.weight": (128, 1024, 1, 1),
    "f9.weight": (192, 195, 1, 1),
}


def official_shapes(outputs: int = 21, *, seam: bool = False) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of the official state dictionary, without counters.

    Args:
        outputs: of fc8; 0 for the network without a head.
        seam: with the layers of SEAM's pixel correlation.
    """
    shapes: dict[str, tuple[int, ...]] = {"conv1a.weight": (64, 3, 3, 3)}

    def normalization(name: str, channels: int) -> None:
        for tensor in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{tensor}"] = (channels,)

    def convolution(name: str, channels: int, channels_in: int, size: int) -> None:
        shapes[f"{name}.weight"] = (channels, channels_in, size, size)

    for level, (blocks, channels_in, middle, channels) in LEVELS.items():
        for number in range(blocks):
            name = f"b{level}_{number}" if number else f"b{level}"
            normalization(f"{name}.bn_branch2a", channels_in)
            convolution(f"{name}.conv_branch2a", middle, channels_in, 3)
            normalization(f"{name}.bn_branch2b1", middle)
            convolution(f"{name}.conv_branch2b1", channels, middle, 3)
            if number == 0:
                convolution(f"{name}.conv_branch1", channels, channels_in, 1)
            channels_in = channels
    for name, channels_in, channels in (("b6", 1024, 2048), ("b7", 2048, 4096)):
        normalization(f"{name}.bn_branch2a", channels_in)
        convolution(f"{name}.conv_branch2a", channels // 4, channels_in, 1)
        normalization(f"{name}.bn_branch2b1", channels // 4)
        convolution(f"{name}.conv_branch2b1", channels // 2, channels // 4, 3)
        normalization(f"{name}.bn_branch2b2", channels // 2)
        convolution(f"{name}.conv_branch2b2", channels, channels // 2, 1)
        convolution(f"{name}.conv_branch1", channels, channels_in, 1)
    normalization("bn7", 4096)
    if outputs:
        convolution("fc8", outputs, 4096, 1)
    return shapes | (SEAM_LAYERS if seam else {})


def official_tensors(case: golden.Case) -> dict[str, torch.Tensor]:
    """Return the case's weights under the official names, checked against its counts."""
    shapes = official_shapes(seam=case.name.startswith("hfpl"))
    filled = golden.fill_weights(shapes, case.json["weights"])
    assert len(filled) == case.json["weights"]["tensors_filled"]
    assert sum(values.size for values in filled.values()) == case.json["weights"]["values_filled"]
    return {name: torch.from_numpy(values) for name, values in filled.items()}


def ademxapp_name(official: str) -> str:
    """Return the name of a tensor in ademxapp's file."""
    layer, _, tensor = official.rpartition(".")
    tensor = "weight" if "conv" in layer else MXNET_TENSORS[tensor]
    if match := re.fullmatch(r"b(\d)(?:_(\d))?\.(conv|bn)_(\w+)", layer):
        level, number, kind, branch = match.groups()
        block = f"{level}b{number}" if number else f"{level}a"
        layer = f"{'res' if kind == 'conv' else 'bn'}{block}_{branch}"
    return f"{'aux' if 'moving' in tensor else 'arg'}:{layer}_{tensor}"


def empty_backbone() -> WideResNet38:
    """Return the backbone without memory or random numbers."""
    with torch.device("meta"):
        return WideResNet38()
