"""The official DeepLab-v2 by its own tensor names, filled by the rule of a golden case."""

import numpy as np
import torch

from tests import golden
from wsss.models.deeplab import MultiScale, build_segmenter
from wsss.models.deeplab_weights import rename_deeplab

BLOCKS = {2: (3, 64, 256), 3: (4, 256, 512), 4: (23, 512, 1024), 5: (3, 1024, 2048)}


def official_shapes(num_classes: int = 21) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of the official state dictionary, without counters."""
    shapes: dict[str, tuple[int, ...]] = {}

    def add(name: str, channels: int, channels_in: int, size: int) -> None:
        shapes[f"{name}.conv.weight"] = (channels, channels_in, size, size)
        for tensor in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{tensor}"] = (channels,)

    add("base.layer1.conv1", 64, 3, 7)
    for layer, (blocks, channels_in, channels) in BLOCKS.items():
        for block in range(1, blocks + 1):
            name = f"base.layer{layer}.block{block}"
            add(f"{name}.reduce", channels // 4, channels_in, 1)
            add(f"{name}.conv3x3", channels // 4, channels // 4, 3)
            add(f"{name}.increase", channels, channels // 4, 1)
            if block == 1:
                add(f"{name}.shortcut", channels, channels_in, 1)
            channels_in = channels
    for branch in range(4):
        shapes[f"base.aspp.c{branch}.weight"] = (num_classes, 2048, 3, 3)
        shapes[f"base.aspp.c{branch}.bias"] = (num_classes,)
    return shapes


def official_segmenter(
    case: golden.Case, *, scales: tuple[float, ...]
) -> tuple[MultiScale, dict[str, np.ndarray]]:
    """Return our segmenter with the case's weights, in evaluation mode, and these weights."""
    filled = golden.fill_weights(official_shapes(), case.json["weights"])
    tensors = {name: torch.from_numpy(values) for name, values in filled.items()}
    with torch.device("meta"):
        segmenter = build_segmenter(
            "deeplab_v2",
            "resnet101_caffe",
            num_classes=21,
            atrous_rates=(6, 12, 18, 24),
            scales=scales,
        )
    renamed = rename_deeplab(tensors)
    for name in segmenter.state_dict():
        if name.endswith("num_batches_tracked"):
            renamed[name] = torch.tensor(0)
    segmenter.load_state_dict(renamed, assign=True)
    return segmenter.eval(), filled
