"""A step's training images on their way through a classifier, and how an objective is found."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, Unpack

from torch import Tensor

from wsss.models.classifier import Classifier
from wsss.train.additions import Added

# Options that name classes of the data set.
OF_CLASSES = ("background_classes",)


class Step(NamedTuple):
    """Training images on the classifier's device.

    Attributes:
        pixels: RGB (B, 3, H, W) uint8.
        image_labels: (B, C) multi-hot.
        saliency: (B, H, W) in 0..1, or None.
        x: The normalised batch (B, 3, H, W).
        stages: Features of the backbone's five stages.
    """

    pixels: Tensor
    image_labels: Tensor
    saliency: Tensor | None
    x: Tensor
    stages: Sequence[Tensor]


Objective = Callable[[Classifier, Step], dict[str, Tensor]]


def load_objective(
    name: str,
    options: Mapping[str, Any],
    *,
    classes: Sequence[str],
    **added: Unpack[Added],
) -> Objective:
    """Return what a kind of classifier learns from training images.

    Args:
        name: The kind: a file of this folder.
        options: Of its `losses`; classes by their names.
        classes: Foreground class names of the data set.
        **added: See `Added`.

    Raises:
        ValueError: An option names a class that the data set does not have.
    """
    given = dict(options)
    for key in OF_CLASSES:
        if key in given:
            given[key] = [_class_id(key, one, classes) for one in given[key]]
    return partial(
        import_module(f"wsss.train.objectives.{name}").losses,
        **added,
        **given,
    )


def step_of(batch: Sequence[Tensor], x: Tensor, stages: Sequence[Tensor]) -> Step:
    """Return the step of a batch that went through a classifier.

    Args:
        batch: Pixels, image labels and perhaps saliency, on the classifier's device.
        x: The batch, normalised; further images behind it are left out.
        stages: Of `x`; likewise.
    """
    pixels, image_labels, *rest = batch
    own = slice(len(pixels))
    saliency = rest[0] if rest else None
    return Step(pixels, image_labels, saliency, x[own], [stage[own] for stage in stages])


def _class_id(key: str, name: str, classes: Sequence[str]) -> int:
    if name not in classes:
        raise ValueError(
            f"{key} names {name!r}, but the classes of the data set are {', '.join(classes)}"
        )
    return list(classes).index(name)
