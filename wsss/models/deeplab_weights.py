"""Weights of a trained kazuto1011/deeplab-pytorch under our names (pure renaming)."""

import re
from collections.abc import Mapping

from torch import Tensor

from wsss.models.backbones.resnet101_caffe import deeplab_pytorch_name

HEAD = re.compile(r"aspp\.c([0-9])\.(weight|bias)")
NAMED = 5


def rename_deeplab(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a trained official DeepLab-v2 under the names of our segmenter.

    They fit `build_segmenter("deeplab_v2", "resnet101_caffe", ...)` with as many classes and rates.

    Args:
        state_dict: names begin with `base.`, as the official multi-scale wrapper saves them.

    Raises:
        KeyError: names that do not belong to such a network; the first of them are listed.
    """
    renamed = {name: _our_name(name.removeprefix("base.")) for name in state_dict}
    unknown = [name for name, ours in renamed.items() if not ours or not name.startswith("base.")]
    if unknown:
        more = ", ..." if len(unknown) > NAMED else ""
        raise KeyError(
            f"{len(unknown)} tensors do not belong to a DeepLab-v2 of kazuto1011/deeplab-pytorch: "
            f"{', '.join(sorted(unknown)[:NAMED])}{more}; give a file saved by that repository"
        )
    return {f"base.{ours}": state_dict[name] for name, ours in renamed.items()}


def _our_name(name: str) -> str:
    """Return our name within DeepLabV2 of an official one without `base.`; "" if unknown."""
    if match := HEAD.fullmatch(name):
        return "head.branches.{}.{}".format(*match.groups())
    ours = deeplab_pytorch_name(name)
    return f"backbone.{ours}" if ours else ""
