"""Checkpoints of the official class-map code under our tensor names."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.irn import IRNet
from wsss.models.renaming import rename_exactly

# The official networks register their layers again under these names; the first name counts.
REPEATED = re.compile(r"(stage[1-5]|backbone|newly_added|edge_layers|dp_layers)\..+")
# Index tables of the official training loss, and statistics that its mean shift never reads.
UNUSED = re.compile(
    r"path_indices\d+|ind_from|ind_to|mean_shift\.(running_var|num_batches_tracked)"
)
# SEAM's pixel correlation: layers on two stages, and the one that joins them with the image.
CORRELATION = {
    "f8_3.weight": (64, 512, 1, 1),
    "f8_4.weight": (128, 1024, 1, 1),
    "f9.weight": (192, 64 + 128 + 3, 1, 1),
}


class OfficialClassifier(NamedTuple):
    """A checkpoint as a classifier of ours: backbone, tensors, and what of it has no place there.

    `left_out` holds phrases for a person.
    """

    backbone: str
    tensors: dict[str, Tensor]
    left_out: tuple[str, ...]


def classifier_from_official(
    state: Mapping[str, Tensor], *, num_classes: int
) -> OfficialClassifier:
    """Return an official classifier's state dict under the names of our classifier.

    Known are the ResNet-50 of IRN, AdvCAM, RIB and W-OoD, which has `classifier.weight`
    (C, 2048, 1, 1), and the Wide ResNet-38 of PSA, SEAM, EPS and HFPL, which has `fc8.weight`
    (C or C + 1, 4096, 1, 1): SEAM and HFPL have the background first, EPS has it last.

    Args:
        state: Of the file.
        num_classes: Foreground classes (C).

    Raises:
        ValueError: A tensor is unknown, missing, or of another shape, or the classes are others.
    """
    heads = {"classifier.weight": _from_resnet50, "fc8.weight": _from_wide_resnet38}
    bare = {official.removeprefix("module."): tensor for official, tensor in state.items()}
    found = [name for name in heads if name in bare and bare[name].ndim == 4]
    if len(found) != 1 or len(bare) != len(state):
        shapes = ", ".join(f"{name} {tuple(bare[name].shape)}" for name in heads if name in bare)
        raise ValueError(
            "an official classifier has one tensor 'classifier.weight' (classes, 2048, 1, 1) or "
            f"'fc8.weight' (classes, 4096, 1, 1), but here it is {shapes or 'missing'}: give a "
            "file of the official class-map network"
        )
    return heads[found[0]](bare, num_classes)


def _from_resnet50(state: Mapping[str, Tensor], num_classes: int) -> OfficialClassifier:
    rows = len(state["classifier.weight"])
    with torch.device("meta"):
        ours = build_classifier("resnet50", num_classes=rows)
    names = _with_prefix({"resnet50.": "backbone.", "classifier.": "head."})
    source = "the official class-map network on ResNet-50"
    tensors = rename_exactly(state, ours, names, source=source)
    _check_classes(rows, num_classes, backgrounds=(0,))
    return OfficialClassifier("resnet50", tensors, ())


def _from_wide_resnet38(state: Mapping[str, Tensor], num_classes: int) -> OfficialClassifier:
    source = "the official class-map network on Wide ResNet-38"
    rows, correlates = len(state["fc8.weight"]), _has_correlation(state, source)
    _check_classes(rows, num_classes, backgrounds=(1,) if correlates else (0, 1))
    background = 0 if correlates else num_classes
    head = state["fc8.weight"][[row for row in range(rows) if row != background]]
    with torch.device("meta"):
        ours = build_classifier("wide_resnet38", num_classes=num_classes)

    def our_name(official: str) -> str | None:
        if official in CORRELATION:
            return None
        own = ours.backbone.own_name(official)
        return "head.weight" if official == "fc8.weight" else f"backbone.{own}"

    tensors = rename_exactly({**state, "fc8.weight": head}, ours, our_name, source=source)
    left_out = []
    if len(head) < rows:
        place = "first" if correlates else "last"
        left_out.append(f"the background, the {place} of the {rows} rows of fc8.weight")
    if correlates:
        left_out.append(f"SEAM's pixel correlation ({', '.join(CORRELATION)})")
    return OfficialClassifier("wide_resnet38", tensors, tuple(left_out))


def _has_correlation(state: Mapping[str, Tensor], source: str) -> bool:
    found = {name: tuple(state[name].shape) for name in CORRELATION if name in state}
    for name, shape in CORRELATION.items():
        if found and found.get(name) != shape:
            raise ValueError(
                f"tensor {name!r} has shape {found.get(name, 'none')}, expected {shape}: give a "
                f"whole file of {source}"
            )
    return bool(found)


def _check_classes(outputs: int, num_classes: int, *, backgrounds: tuple[int, ...]) -> None:
    """Check the number of outputs, of which `backgrounds` may be the background's."""
    known = [outputs - background for background in backgrounds]
    if num_classes not in known:
        raise ValueError(
            f"the network knows {' or '.join(map(str, known))} foreground classes, but "
            f"{num_classes} are named: name its own classes with --classes"
        )


def irn_from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return an official boundary network's state dict under the names of our ResNet-50 IRNet.

    Raises:
        ValueError: A tensor is unknown, missing, or of another shape.
    """
    with torch.device("meta"):
        ours = IRNet(build_backbone("resnet50"))
    # jiwoon-ahn/irn has the mean shift at the end of fc_dp7, others under its own name.
    prefixes = {"resnet50.": "backbone.", "fc_dp7.4.": "mean_shift."}
    source = "the official boundary network on ResNet-50"
    return rename_exactly(state, ours, _with_prefix(prefixes), source=source)


def _with_prefix(prefixes: Mapping[str, str]) -> Callable[[str], str | None]:
    """Return what gives our names: None for a tensor that is registered again or not used."""

    def our_name(official: str) -> str | None:
        if REPEATED.fullmatch(official):
            return None
        for theirs, ours in prefixes.items():
            if official.startswith(theirs):
                official = ours + official.removeprefix(theirs)
                break
        return None if UNUSED.fullmatch(official) else official

    return our_name
