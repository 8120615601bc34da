"""`wsss import-weights`: checkpoints of others as files of this project."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.deeplab import build_segmenter
from wsss.models.deeplab_weights import rename_deeplab
from wsss.models.irn import IRNet
from wsss.models.official_weights import classifier_from_official, irn_from_official
from wsss.store.weights import load_torch_state
from wsss.train.networks import save_classifier, save_irnet, save_segmenter

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
# The official DeepLab-v2; a file does not tell its dilations.
RECIPE: dict[str, object] = {
    "network": "deeplab_v2",
    "backbone": "resnet101_caffe",
    "atrous_rates": [6, 12, 18, 24],
    "scales": [0.5, 0.75],
}


def import_weights(
    network: str, path: Path, output: Path, *, classes: Sequence[str] | None, overwrite: bool
) -> str:
    """Write a checkpoint of others as a file of this project, and return what was done.

    Args:
        network: "classifier", "irn" or "segmenter".
        path: A PyTorch file with a state dict; nothing but tensors is ever read from it.
        output: Ends with .safetensors.
        classes: Foreground classes in the network's order; a boundary network needs none.
        overwrite: Whether `output` may exist.

    Raises:
        ValueError: The file is no checkpoint, or does not fit the network or the classes.
        KeyError: A tensor does not belong to the network.
    """
    if output.suffix != ".safetensors":
        raise ValueError(f"the output {output} must end with .safetensors")
    if output.exists() and not overwrite:
        raise ValueError(f"{output} exists: name another file, or add --overwrite")
    if classes is None and network != "irn":
        raise ValueError(f"a {network} needs its class names: add --classes a,b,c or --voc")
    state = load_torch_state(path)
    try:
        _SAVE[network](state, output, tuple(classes or ()))
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: {error.args[0]}") from error
    return f"{output}: {network} of {path}, {len(state)} tensors"


def _save_classifier(state: dict[str, Tensor], output: Path, classes: tuple[str, ...]) -> None:
    renamed = classifier_from_official(state)
    _check_count(len(renamed["head.weight"]), classes)
    classifier = build_classifier("resnet50", num_classes=len(classes))
    classifier.load_state_dict(renamed)
    save_classifier(output, classifier, backbone="resnet50", classes=classes)


def _save_irnet(state: dict[str, Tensor], output: Path, classes: tuple[str, ...]) -> None:
    irnet = IRNet(build_backbone("resnet50"))
    irnet.load_state_dict(irn_from_official(state))
    save_irnet(output, irnet, backbone="resnet50", classes=classes)


def _save_segmenter(state: dict[str, Tensor], output: Path, classes: tuple[str, ...]) -> None:
    renamed = rename_deeplab(state)
    bias = renamed.get("base.head.branches.0.bias")
    if bias is None:
        raise ValueError(
            "the file has no head (base.aspp.c0.bias), so it cannot predict; weights to start a "
            "training from go into the config as they are, as a segmenter's initial_weights"
        )
    _check_count(len(bias) - 1, classes)
    # Built without memory or random numbers: the head alone would take seconds.
    with torch.device("meta"):
        segmenter = build_segmenter(num_classes=len(classes) + 1, **RECIPE)  # type: ignore[arg-type]
    _check_fit(renamed, segmenter)
    for name in segmenter.state_dict().keys() - renamed.keys():
        renamed[name] = torch.zeros((), dtype=torch.long)
    segmenter.load_state_dict(renamed, assign=True)
    save_segmenter(output, segmenter, recipe=dict(RECIPE), classes=classes)


_SAVE = {"classifier": _save_classifier, "irn": _save_irnet, "segmenter": _save_segmenter}


def _check_count(found: int, classes: tuple[str, ...]) -> None:
    if found != len(classes):
        raise ValueError(
            f"the network knows {found} foreground classes, but {len(classes)} are named: name "
            "its own classes with --classes"
        )


def _check_fit(renamed: Mapping[str, Tensor], ours: nn.Module) -> None:
    """Check names and shapes; old files lack the counters of batch normalisation.

    Raises:
        ValueError: A tensor is missing, unknown, or of another shape.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in ours.state_dict().items()}
    missing = [n for n in expected if n not in renamed and not n.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(
            f"the file lacks {len(missing)} tensors, the first for our {missing[0]!r} of shape "
            f"{expected[missing[0]]}: give a whole checkpoint"
        )
    for name, tensor in renamed.items():
        if tuple(tensor.shape) != expected.get(name):
            raise ValueError(
                f"the tensor for our {name!r} has shape {tuple(tensor.shape)}, expected "
                f"{expected.get(name, 'none')}: give a file of the official network"
            )
