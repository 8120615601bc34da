"""How much AdvCAM's climb amplifies the scores of the regions of an object.

Lee et al. 2021, dissertation 3.3.2 and Fig. 3.3.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wsss.diagnose._climbs import climb_image, pair_map
from wsss.diagnose._images import choose_images
from wsss.localize._views import inference
from wsss.models.classifier import Classifier

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def measure(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    advcam: Mapping[str, Any],
    *,
    num_images: int,
    example_seed: int,
    discriminative: float,
    least: float,
) -> Iterator[dict[str, Any]]:
    """Yield the distribution of the pixel amplification ratio by step and region.

    The ratio of cell i at step t is CAM(x_t)_i / CAM(x_0)_i, of maps that are not scaled, so that
    it grows wherever the score does. The map is that which the climb sees: the sum of a pair (the
    image and its mirror image) at scale 1, at the network's stride. The discriminative region is
    where CAM(x_0), divided by its maximum, is at least `discriminative`; the non-discriminative one
    where it is above `least` and below that. The cells of all images and classes count together.

    Args:
        model: Classifier.
        images: uint8 (H, W, 3) RGB by image id.
        labels: Zero-based classes (n,) by image id.
        advcam: Options of the localizer.
        num_images: How many images, at most.
        example_seed: Of their choice.
        discriminative: Share of the maximum, in 0..1.
        least: Share of the maximum, in 0..1, below `discriminative`.

    Yields:
        step: 0 before the climb.
        region: "discriminative" or "non-discriminative".
        cells: How many of all images.
        mean, q05, q25, q50, q75, q95: Of their ratios; none where there is no cell.
    """
    chosen = choose_images(labels, count=num_images, random_seed=example_seed, among=None)
    found: dict[tuple[int, str], list[np.ndarray]] = {}
    with inference(model):
        for image_id in chosen:
            for steps in climb_image(model, images[image_id], labels[image_id], advcam, scale=1):
                maps = np.stack([pair_map(step) for step in steps])
                for region, cells in _regions(maps[0], discriminative, least).items():
                    for number, ratios in enumerate(maps[:, cells] / maps[0, cells]):
                        found.setdefault((number, region), []).append(ratios)
    for (number, region), parts in found.items():
        ratios = np.concatenate(parts)
        yield {"step": number, "region": region, "cells": len(ratios), **_summary(ratios)}


def _regions(start: np.ndarray, discriminative: float, least: float) -> dict[str, np.ndarray]:
    """Return where the regions of maps (N, h, w) lie; a map of zeros has none."""
    largest = start.max((1, 2), keepdims=True)
    share = start / np.where(largest > 0, largest, 1)
    return {
        "discriminative": share >= discriminative,
        "non-discriminative": (share > least) & (share < discriminative),
    }


def _summary(ratios: np.ndarray) -> dict[str, float]:
    names = [f"q{round(100 * quantile):02d}" for quantile in QUANTILES]
    if not len(ratios):
        return dict.fromkeys(["mean", *names], float("nan"))
    values = np.quantile(ratios, QUANTILES)
    return {"mean": float(ratios.mean()), **dict(zip(names, map(float, values), strict=True))}
