"""Weights of kazuto1011/deeplab-pytorch under our names (pure renaming)."""

import re
from collections.abc import Mapping

from torch import Tensor

from wsss.models.backbones.resnet101_caffe import BLOCKS

STEM = re.compile(r"layer1\.conv1\.(conv|bn)\.(\w+)")
BLOCK = re.compile(
    r"layer([2-5])\.block([1-9]\d?)\.(reduce|conv3x3|increase|shortcut)\.(conv|bn)\.(\w+)"
)
HEAD = re.compile(r"aspp\.c([0-9])\.(weight|bias)")
NAMED = 5
NUMBERS = {"reduce": 1, "conv3x3": 2, "increase": 3}
TENSORS = {
    "conv": {"weight"},
    "bn": {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"},
}


def rename_deeplab(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a trained official DeepLab-v2 under the names of our segmenter.

    They fit `build_segmenter("deeplab_v2", "resnet101_caffe", ...)` with as many classes and rates.

    Args:
        state_dict: names begin with `base.`, as the official multi-scale wrapper saves them.

    Raises:
        KeyError: names that do not belong to such a network; the first of them are listed.
    """
    renamed = {name: _our_name(name.removeprefix("base.")) for name in state_dict}
    _refuse([name for name, ours in renamed.items() if not ours or not name.startswith("base.")])
    return {f"base.{ours}": state_dict[name] for name, ours in renamed.items()}


def rename_deeplab_backbone(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of an official initial file under the names of our resnet101_caffe.

    The head (`aspp.*`) is left out: the official training starts it at random, too. Note that
    deeplabv1_resnet101-coco.pth was trained on masks; deeplabv1_resnet101-imagenet.pth was not.

    Args:
        state_dict: official names, with or without `base.`.

    Raises:
        KeyError: names that do not belong to such a network; the first of them are listed.
    """
    renamed = {name: _our_name(name.removeprefix("base.")) for name in state_dict}
    _refuse([name for name, ours in renamed.items() if not ours])
    return {
        ours.removeprefix("backbone."): state_dict[name]
        for name, ours in renamed.items()
        if ours.startswith("backbone.")
    }


def _our_name(name: str) -> str:
    """Return our name within DeepLabV2 of an official one without `base.`; "" if unknown."""
    if match := STEM.fullmatch(name):
        kind, tensor = match.groups()
        return f"backbone.{kind}1.{tensor}" if tensor in TENSORS[kind] else ""
    if match := BLOCK.fullmatch(name):
        layer, block, part, kind, tensor = match.groups()
        if tensor not in TENSORS[kind] or int(block) > BLOCKS[int(layer) - 2]:
            return ""
        block_name = f"backbone.layer{int(layer) - 1}.{int(block) - 1}"
        if part == "shortcut":
            return f"{block_name}.shortcut.{('conv', 'bn').index(kind)}.{tensor}"
        return f"{block_name}.{kind}{NUMBERS[part]}.{tensor}"
    if match := HEAD.fullmatch(name):
        return "head.branches.{}.{}".format(*match.groups())
    return ""


def _refuse(unknown: list[str]) -> None:
    if unknown:
        more = ", ..." if len(unknown) > NAMED else ""
        raise KeyError(
            f"{len(unknown)} tensors do not belong to a DeepLab-v2 of kazuto1011/deeplab-pytorch: "
            f"{', '.join(sorted(unknown)[:NAMED])}{more}; give a file saved by that repository"
        )
