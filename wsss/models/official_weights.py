"""Checkpoints of the official IRN, AdvCAM, RIB and W-OoD code under our tensor names."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.irn import IRNet

# The official networks register their layers again under these names; the first name counts.
REPEATED = re.compile(r"(stage[1-5]|backbone|newly_added|edge_layers|dp_layers)\..+")
# Index tables of the official training loss, and statistics that its mean shift never reads.
UNUSED = re.compile(
    r"path_indices\d+|ind_from|ind_to|mean_shift\.(running_var|num_batches_tracked)"
)


def classifier_from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return an official classifier's state dict under the names of our ResNet-50 classifier.

    The number of classes is that of `classifier.weight` (C, 2048, 1, 1). Counters that old files
    lack are zero.

    Raises:
        ValueError: A tensor is unknown, missing, or of another shape.
    """
    head = state.get("classifier.weight", state.get("module.classifier.weight"))
    if head is None or head.ndim != 4:
        raise ValueError(
            "an official classifier has a tensor 'classifier.weight' (classes, 2048, 1, 1), but "
            f"here it is {'missing' if head is None else tuple(head.shape)}: give a file of the "
            "official class-map network"
        )
    with torch.device("meta"):
        ours = build_classifier("resnet50", num_classes=len(head))
    return _renamed(state, ours, {"resnet50.": "backbone.", "classifier.": "head."})


def irn_from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return an official boundary network's state dict under the names of our ResNet-50 IRNet.

    Raises:
        ValueError: A tensor is unknown, missing, or of another shape.
    """
    with torch.device("meta"):
        ours = IRNet(build_backbone("resnet50"))
    # jiwoon-ahn/irn has the mean shift at the end of fc_dp7, others under its own name.
    return _renamed(state, ours, {"resnet50.": "backbone.", "fc_dp7.4.": "mean_shift."})


def _renamed(
    state: Mapping[str, Tensor], ours: nn.Module, prefixes: Mapping[str, str]
) -> dict[str, Tensor]:
    expected = {name: tuple(tensor.shape) for name, tensor in ours.state_dict().items()}
    renamed = {}
    for official, tensor in state.items():
        name = _with_prefix(official.removeprefix("module."), prefixes)
        if name is None:
            continue
        if name not in expected:
            raise ValueError(
                f"tensor {official!r} does not belong to the official network that fits our "
                f"{type(ours).__name__} on ResNet-50: give the file of that network"
            )
        if tuple(tensor.shape) != expected[name]:
            raise ValueError(
                f"tensor {official!r} has shape {tuple(tensor.shape)}, expected {expected[name]}: "
                "give a file of the official network"
            )
        renamed[name] = tensor
    for name in expected.keys() - renamed.keys():
        if name.endswith("num_batches_tracked"):
            renamed[name] = torch.zeros((), dtype=torch.long)
    missing = sorted(expected.keys() - renamed.keys())
    if missing:
        raise ValueError(
            f"the official file lacks {len(missing)} tensors, the first for our {missing[0]!r} of "
            f"shape {expected[missing[0]]}: give a whole checkpoint"
        )
    return renamed


def _with_prefix(official: str, prefixes: Mapping[str, str]) -> str | None:
    """Return our name, or None for a tensor that is registered again or not used."""
    if REPEATED.fullmatch(official):
        return None
    for theirs, ours in prefixes.items():
        if official.startswith(theirs):
            official = ours + official.removeprefix(theirs)
            break
    return None if UNUSED.fullmatch(official) else official
