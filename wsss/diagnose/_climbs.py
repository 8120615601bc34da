"""Climbs of single images as AdvCAM's localizer has them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from wsss.localize._views import (
    ScaleMaps,
    flatten_targets,
    inference,
    joined_maps,
    view_pairs,
    views_per_pass,
)
from wsss.localize.advcam import Step, climb, steps_at, sum_factor
from wsss.models.classifier import Classifier

# What of the localizer's options a climb takes beside the steps.
CLIMB = ("precision", "step_size", "regularization_weight", "score_threshold")


class ScaleSums(NamedTuple):
    """Sums (steps, N, 2, h, w) of the first steps' maps at one scale, and the size of its views."""

    sums: torch.Tensor
    view_size: tuple[int, int]


def climb_image(
    model: Classifier,
    image: np.ndarray,
    class_ids: np.ndarray,
    advcam: Mapping[str, Any],
    *,
    scale: float,
) -> Iterator[Iterator[Step]]:
    """Yield the climbs of an image to its classes, of as many pairs as fit the localizer's batch.

    Take all steps of one before the next. The model is to be in `inference`.

    Args:
        model: Classifier.
        image: uint8 (H, W, 3) RGB.
        class_ids: Zero-based classes (n,).
        advcam: Options of the localizer.
        scale: Of the view.
    """
    targets = flatten_targets(model, image[None], [class_ids])
    pairs = view_pairs(model, image[None], scale)
    steps = {key: advcam[key] for key in ("steps", "half_scale_steps")}
    options = {name: advcam[name] for name in CLIMB} | {"steps": steps_at(scale, **steps)}
    for class_index in targets.class_index.split(
        max(1, views_per_pass(advcam["batch_size"], scale) // 2)
    ):
        repeated = pairs.expand(len(class_index), *pairs.shape[1:])
        yield climb(model, repeated, class_index, **options)


def pair_map(step: Step) -> np.ndarray:
    """Return the sum (N, h, w) of the pairs' maps, the second mirrored back, float32."""
    return (step.maps[:, 0] + step.maps[:, 1].flip(-1)).float().cpu().numpy()


def maps_by_step(
    model: Classifier, image: np.ndarray, class_ids: np.ndarray, advcam: Mapping[str, Any]
) -> Iterator[np.ndarray]:
    """Yield an image's localization maps after 1, 2, ... steps of the climb.

    The n-th are those that a localizer with `steps: n` makes, at all of its scales: a climb of
    fewer steps is the beginning of one of more.

    Args:
        model: Classifier.
        image: uint8 (H, W, 3) RGB.
        class_ids: Zero-based classes (n,).
        advcam: Options of the localizer.

    Yields:
        float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.
    """
    with inference(model):
        summed = [_sums(model, image, class_ids, advcam, scale=scale) for scale in advcam["scales"]]
    for steps in range(1, advcam["steps"] + 1):
        factor = sum_factor(advcam["scales"], steps=steps, accumulation=advcam["accumulation"])
        own = {"steps": steps, "half_scale_steps": advcam["half_scale_steps"]}
        scale_maps = [
            ScaleMaps(factor * sums[steps_at(scale, **own) - 1], view_size)
            for scale, (sums, view_size) in zip(advcam["scales"], summed, strict=True)
        ]
        joined = joined_maps(
            scale_maps,
            image_size=image.shape[:2],
            map_stride=advcam["map_stride"],
            alignment=advcam["alignment"],
            backbone=model.backbone,
        )
        yield joined.float().cpu().numpy()


def _sums(
    model: Classifier,
    image: np.ndarray,
    class_ids: np.ndarray,
    advcam: Mapping[str, Any],
    *,
    scale: float,
) -> ScaleSums:
    parts = []
    for steps in climb_image(model, image, class_ids, advcam, scale=scale):
        climbed = list(steps)
        parts.append(torch.stack([step.maps for step in climbed]).cumsum(0))
        height, width = climbed[0].pairs.shape[-2:]
    return ScaleSums(torch.cat(parts, dim=1), (height, width))
