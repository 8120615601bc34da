"""`wsss import-weights`: checkpoints of others as files of this project."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.models.deeplab import build_segmenter
from wsss.models.deeplab_weights import rename_deeplab
from wsss.models.eps import eps_from_official
from wsss.models.irn import IRNet
from wsss.models.networks import build_network
from wsss.models.official_weights import classifier_from_official, irn_from_official
from wsss.models.renaming import rename_exactly
from wsss.models.seam import seam_from_official
from wsss.store.weights import load_torch_state
from wsss.train.networks import save_classifier, save_refiner_network, save_segmenter

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

    What of the checkpoint our network has no place for is named in the sentence.

    Args:
        network: "classifier" (a plain one, whatever else the file holds), "seam" or "eps" (with all
            that these networks have), "irn" or "segmenter".
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
        left_out = _SAVE[network](state, output, tuple(classes or ()))
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: {error.args[0]}") from error
    noun = NOUNS.get(network, network)
    done = f"{output}: {noun} of {path}, {len(state)} tensors"
    if left_out:
        done += f"; our {noun} has no place for {' and '.join(left_out)}: not in the file"
    return done


def _save_classifier(
    state: dict[str, Tensor], output: Path, classes: tuple[str, ...]
) -> tuple[str, ...]:
    backbone, tensors, left_out = classifier_from_official(state, num_classes=len(classes))
    with torch.device("meta"):
        classifier = build_classifier(backbone, num_classes=len(classes))
    classifier.load_state_dict(tensors, assign=True)
    save_classifier(output, classifier, backbone=backbone, classes=classes)
    return left_out


def _save_seam(state: dict[str, Tensor], output: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    tensors = seam_from_official(state, num_classes=len(classes))
    # A file does not tell how often its training dropped a channel; only a new training would ask.
    _save_network("seam", tensors, output, classes, head_dropout=0.5)
    return ("the background, the first row of fc8.weight, which nothing reads",)


def _save_eps(state: dict[str, Tensor], output: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    tensors = eps_from_official(state, num_classes=len(classes))
    _save_network("eps", tensors, output, classes)
    return ()


def _save_network(
    network: str,
    tensors: dict[str, Tensor],
    output: Path,
    classes: tuple[str, ...],
    **options: object,
) -> None:
    """Write tensors of a network on Wide ResNet-38, the backbone of the official SEAM and EPS."""
    with torch.device("meta"):
        classifier = build_network(network, "wide_resnet38", num_classes=len(classes), **options)
    classifier.load_state_dict(tensors, assign=True)
    save_classifier(output, classifier, backbone="wide_resnet38", classes=classes)


def _save_irnet(
    state: dict[str, Tensor], output: Path, classes: tuple[str, ...]
) -> tuple[str, ...]:
    irnet = IRNet(build_backbone("resnet50"))
    irnet.load_state_dict(irn_from_official(state))
    save_refiner_network(
        output, irnet, method="irn", recipe={"backbone": "resnet50"}, classes=classes
    )
    return ()


def _save_segmenter(
    state: dict[str, Tensor], output: Path, classes: tuple[str, ...]
) -> tuple[str, ...]:
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
    tensors = rename_exactly(renamed, segmenter, lambda name: name, source="the official network")
    segmenter.load_state_dict(tensors, assign=True)
    save_segmenter(output, segmenter, recipe=dict(RECIPE), classes=classes)
    return ()


_SAVE = {
    "classifier": _save_classifier,
    "seam": _save_seam,
    "eps": _save_eps,
    "irn": _save_irnet,
    "segmenter": _save_segmenter,
}
NOUNS = {"seam": "SEAM classifier", "eps": "EPS classifier", "irn": "boundary network"}


def _check_count(found: int, classes: tuple[str, ...]) -> None:
    if found != len(classes):
        raise ValueError(
            f"the network knows {found} foreground classes, but {len(classes)} are named: name "
            "its own classes with --classes"
        )
