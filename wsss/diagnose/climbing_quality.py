"""Seed quality and noise by the number of AdvCAM's steps (dissertation 3.3.4, Fig. 3.7 a and b)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from wsss.diagnose._climbs import maps_by_step
from wsss.diagnose._images import choose_images
from wsss.metrics.confusion import summarise
from wsss.metrics.threshold import ThresholdSweep
from wsss.models.classifier import Classifier

# Their number costs next to nothing.
THRESHOLDS = np.round(np.arange(0, 1, 0.01), 2).tolist()


def measure(
    model: Classifier,
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray],
    advcam: Mapping[str, Any],
    *,
    num_images: int,
    example_seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield the quality of the seed after every step, at the best background threshold of the step.

    The threshold is chosen with ground truth, on the images that are scored.

    Args:
        model: Classifier.
        images: uint8 (H, W, 3) RGB by image id.
        labels: Zero-based classes (n,) by image id.
        masks: Ground truth, uint8 (H, W), 255 ignored, of those images that have any.
        advcam: Options of the localizer; its `steps` are the last.
        num_images: How many images, at most.
        example_seed: Of their choice.

    Yields:
        step: How often the images were moved; 0 before the climb, where a localizer has `steps: 1`.
        threshold: The best one.
        miou: Of all images, see `wsss.metrics.confusion.summarise`.
        noise: Of the pixels that are classified as foreground, the share of background.
        noise_of_all: These pixels, as a share of all that are scored.
        num_images: How many were scored.
    """
    chosen = choose_images(labels, count=num_images, random_seed=example_seed, among=masks)
    num_classes = model.head.out_channels + 1
    sweeps = [
        ThresholdSweep(num_classes, THRESHOLDS, ignore_index=255) for _ in range(advcam["steps"])
    ]
    for image_id in chosen:
        mask = masks[image_id]
        by_step = maps_by_step(model, images[image_id], labels[image_id], advcam)
        for sweep, maps in zip(sweeps, by_step, strict=True):
            sweep.update(mask, labels[image_id], _full(maps, mask.shape))
    for step, sweep in enumerate(sweeps):
        threshold = sweep.best_by_ground_truth()
        matrix = sweep.matrix(threshold)
        yield {
            "step": step,
            "threshold": threshold,
            "miou": summarise(matrix)["miou"],
            **noise(matrix),
            "num_images": len(chosen),
        }


def noise(matrix: np.ndarray) -> dict[str, float]:
    """Return the proportion of noise of a confusion matrix (K, K), rows ground truth.

    The dissertation counts the pixels "that are classified as foreground but are actually
    background"; it does not say of which pixels they are a proportion. `noise` is of those that are
    classified as foreground (nan if none is), `noise_of_all` of all.
    """
    wrong, foreground = int(matrix[0, 1:].sum()), int(matrix[:, 1:].sum())
    return {
        "noise": wrong / foreground if foreground else float("nan"),
        "noise_of_all": wrong / int(matrix.sum()),
    }


def _full(maps: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return maps (n, h, w) at the image's size, bilinear, as they are read from the store."""
    whole = F.interpolate(torch.from_numpy(maps)[None], size, mode="bilinear", align_corners=False)
    return whole[0].numpy()
