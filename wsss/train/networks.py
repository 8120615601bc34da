"""Trained networks as files: safetensors whose metadata say how to build the network again."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from wsss.models.backbones.backbone import Backbone, build_backbone
from wsss.models.classifier import Classifier
from wsss.models.deeplab import MultiScale, build_segmenter
from wsss.models.irn import IRNet
from wsss.models.networks import build_network
from wsss.models.psa import AffinityNet
from wsss.store.weights import is_safetensors, load_weights, save_weights
from wsss.train.initial_weights import start_from_others

PLAIN = Classifier.network
# Networks that refiners train on a backbone, by method.
OF_REFINERS: dict[str, Callable[..., nn.Module]] = {"irn": IRNet, "psa": AffinityNet}


def save_classifier(
    path: Path, classifier: Classifier, *, backbone: str, classes: Sequence[str]
) -> None:
    """Write a classifier with its network, its backbone's name and its class names."""
    recipe = {"network": classifier.network, "backbone": backbone, **classifier.network_options()}
    _save(path, classifier, kind="classifier", recipe=recipe, classes=classes)


def load_classifier(path: Path) -> tuple[Classifier, str, tuple[str, ...]]:
    """Return (classifier in evaluation mode, backbone's name, class names).

    Raises:
        ValueError: The file is not a classifier of this project.
    """
    state, recipe, classes = _load(path, kind="classifier")
    with torch.device("meta"):
        # Files from before there were several networks name none.
        classifier = build_network(**{"network": PLAIN, **recipe}, num_classes=len(classes))
    classifier.load_state_dict(state, assign=True)
    return classifier.eval(), recipe["backbone"], classes


def start_classifier(
    start: Path | None,
    *,
    classes: Sequence[str],
    network: str,
    network_options: Mapping[str, Any],
    backbone: str,
    initial_weights: str,
    random_seed: int,
) -> tuple[Classifier, str]:
    """Return (the classifier that a training starts from, its backbone's name).

    Args:
        start: A trained classifier of the same classes, or None for a new one.
        classes: Foreground class names.
        network: Of a new one, see `wsss.models.networks`.
        network_options: Of a new one.
        backbone: Of a new one.
        initial_weights: Of a new one: `none` (random), `package` (those that come with an installed
            package), a file of ImageNet weights, or one made by `wsss import-weights`, whose head
            is kept if its classes and its shape are the same, and what else its network has if
            that is the same.
        random_seed: Of the random weights.

    Raises:
        ValueError: The classes or the backbone of a file differ from what is asked for, or it saw
            pixel labels.
    """
    torch.manual_seed(random_seed)
    if start is not None:
        classifier, backbone, known = load_classifier(start)
        if tuple(known) != tuple(classes):
            raise ValueError(f"{start} knows the classes {known}, the data set has {classes}")
        return classifier, backbone
    classifier = build_network(network, backbone, num_classes=len(classes), **network_options)
    if initial_weights == "package":
        classifier.backbone.load_pretrained()
    elif initial_weights != "none":
        _start_from_file(classifier, Path(initial_weights), backbone=backbone, classes=classes)
    return classifier, backbone


def _start_from_file(
    classifier: Classifier, path: Path, *, backbone: str, classes: Sequence[str]
) -> None:
    if not is_safetensors(path):
        start_from_others(classifier.backbone, path, name=backbone, saw_pixel_labels=False)
        return
    other, other_backbone, other_classes = load_classifier(path)
    if other_backbone != backbone:
        raise ValueError(f"{path} holds a {other_backbone}, but the config asks for {backbone}")
    classifier.backbone.load_state_dict(other.backbone.state_dict())
    same_head = other.head.weight.shape == classifier.head.weight.shape
    if tuple(other_classes) == tuple(classes) and same_head:
        same = other.network == classifier.network
        part, known = (classifier, other) if same else (classifier.head, other.head)
        part.load_state_dict(known.state_dict())


def start_refiner_network(
    method: str, start: Path, *, options: Mapping[str, Any], random_seed: int
) -> tuple[nn.Module, dict[str, Any], tuple[str, ...]]:
    """Return (the network that a refiner's training starts from, its recipe, class names).

    Args:
        method: One of `OF_REFINERS`.
        start: The classifier whose backbone it takes.
        options: Its arguments beside the backbone.
        random_seed: Of the random weights.
    """
    classifier, backbone, classes = load_classifier(start)
    torch.manual_seed(random_seed)
    network = OF_REFINERS[method](classifier.backbone, **options)
    return network, {"backbone": backbone, **options}, classes


def save_refiner_network(
    path: Path,
    network: nn.Module,
    *,
    method: str,
    recipe: Mapping[str, Any],
    classes: Sequence[str],
) -> None:
    """Write a refiner's network with its backbone's name and its other arguments (`recipe`)."""
    _save(path, network, kind=method, recipe=recipe, classes=classes)


def load_refiner_network(path: Path, *, method: str) -> nn.Module:
    """Return a refiner's network in evaluation mode.

    Raises:
        ValueError: The file is not such a network of this project.
    """
    state, recipe, _ = _load(path, kind=method)
    with torch.device("meta"):
        network = OF_REFINERS[method](build_backbone(recipe.pop("backbone")), **recipe)
    network.load_state_dict(state, assign=True)
    return network.eval()


def start_segmenter(
    recipe: Mapping[str, Any],
    *,
    classes: Sequence[str],
    initial_weights: str,
    saw_pixel_labels: bool,
    start: Path | None,
    random_seed: int,
) -> nn.Module:
    """Return the segmenter that a training starts from.

    Args:
        recipe: Arguments of `build_segmenter` without the number of classes.
        classes: Foreground class names.
        initial_weights: Of the backbone: `none` (random), `package` (of an installed package),
            `classifier` (of the chain's own classifier), or a file: of ImageNet weights, of
            deeplab-pytorch, or a classifier made by `wsss import-weights`.
        saw_pixel_labels: Whether a file may come from a training on masks.
        start: The classifier or the file.
        random_seed: Of the random weights.

    Raises:
        ValueError: The weights do not fit the backbone, or come from a training on masks and may
            not.
    """
    torch.manual_seed(random_seed)
    segmenter = build_segmenter(**recipe, num_classes=len(classes) + 1)
    backbone = segmenter.base.backbone
    if initial_weights == "package":
        backbone.load_pretrained()
    elif initial_weights != "none":
        path = Path(str(start))
        _start_backbone(backbone, path, recipe["backbone"], saw_pixel_labels=saw_pixel_labels)
    return segmenter


def _start_backbone(backbone: Backbone, path: Path, name: str, *, saw_pixel_labels: bool) -> None:
    if not is_safetensors(path):
        start_from_others(backbone, path, name=name, saw_pixel_labels=saw_pixel_labels)
        return
    classifier, found, _ = load_classifier(path)
    if found != name:
        raise ValueError(f"{path} has a {found}, the segmenter needs a {name}")
    backbone.load_state_dict(classifier.backbone.state_dict())


def save_segmenter(
    path: Path, segmenter: nn.Module, *, recipe: dict[str, object], classes: Sequence[str]
) -> None:
    """Write a segmenter with the arguments of `build_segmenter` that made it (`recipe`)."""
    _save(path, segmenter, kind="segmenter", recipe=recipe, classes=classes)


def load_segmenter(path: Path) -> tuple[MultiScale, tuple[str, ...]]:
    """Return (segmenter in evaluation mode, foreground class names).

    Raises:
        ValueError: The file is not a segmenter of this project.
    """
    state, recipe, classes = _load(path, kind="segmenter")
    with torch.device("meta"):
        segmenter = build_segmenter(**recipe, num_classes=len(classes) + 1)
    segmenter.load_state_dict(state, assign=True)
    return segmenter.eval(), classes


def _save(
    path: Path, module: nn.Module, *, kind: str, recipe: Mapping, classes: Sequence[str]
) -> None:
    metadata = {"kind": kind, "recipe": json.dumps(recipe), "classes": json.dumps(list(classes))}
    save_weights(path, module.state_dict(), metadata=metadata)


def _load(path: Path, *, kind: str) -> tuple[dict, dict, tuple[str, ...]]:
    state, metadata = load_weights(path)
    found = metadata.get("kind", "unmarked weights")
    if found != kind:
        raise ValueError(
            f"{path} is not a {kind} of this project but {found!r}: give another file, or import "
            "weights of others with `wsss import-weights`"
        )
    return state, json.loads(metadata["recipe"]), tuple(json.loads(metadata["classes"]))
