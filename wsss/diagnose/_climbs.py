"""Climbs of chosen images as AdvCAM's localizer has them, at the images' own size."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from wsss.localize._views import flatten_targets, inference, view_pairs, views_per_pass
from wsss.localize.advcam import Step, climb
from wsss.models.classifier import Classifier

# What of the localizer's options a climb takes.
CLIMB = ("precision", "steps", "step_size", "regularization_weight", "score_threshold")


class Climb(NamedTuple):
    """A climb of N pairs: their image ids and zero-based classes, and the steps."""

    image_ids: list[str]
    class_ids: list[int]
    steps: Iterator[Step]


def climbs(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    advcam: Mapping[str, Any],
    image_ids: Sequence[str],
) -> Iterator[Climb]:
    """Yield the climbs of images to their own classes at scale 1, as many pairs as fit a batch.

    Take all steps of one before the next.

    Args:
        model: Classifier; in evaluation mode, its parameters without gradient, until the last climb
            was taken, then given back as it came.
        images: uint8 (H, W, 3) RGB by image id.
        labels: Zero-based classes (n,) by image id.
        advcam: Options of the localizer.
        image_ids: Which images.
    """
    options = {name: advcam[name] for name in CLIMB}
    chosen = max(1, views_per_pass(advcam["batch_size"], 1) // 2)
    with inference(model):
        for image_id in image_ids:
            image = images[image_id][None]
            targets = flatten_targets(model, image, [labels[image_id]])
            pairs = view_pairs(model, image, 1)
            for class_index in targets.class_index.split(chosen):
                repeated = pairs.expand(len(class_index), *pairs.shape[1:])
                yield Climb(
                    [image_id] * len(class_index),
                    class_index.tolist(),
                    climb(model, repeated, class_index, **options),
                )


def pair_map(step: Step) -> torch.Tensor:
    """Return the sum (N, h, w) of the pairs' maps, the second mirrored back."""
    return step.maps[:, 0] + step.maps[:, 1].flip(-1)
