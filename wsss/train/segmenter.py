"""Training of the segmentation network on pseudo-masks."""

from collections.abc import Mapping
from typing import Any

import torch

from wsss.losses.segmentation import multi_scale_losses
from wsss.models.deeplab import MultiScale, parameter_groups
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.computing import set_computing
from wsss.train.growing import grown_losses
from wsss.train.loop import fit

IGNORE_INDEX = 255


def train_segmenter(
    segmenter: MultiScale,
    images: BatchStream,
    *,
    iterations: int,
    iter_size: int,
    learning_rate: float,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
    schedule: str,
    loss: str,
    seed_growing: Mapping[str, Any] | None,
    batch_norm: str,
    computing: Mapping[str, Any],
    checkpoint: RunningCheckpoint,
) -> list[dict[str, float]]:
    """Train in place with the sum of the losses of all scales and return the log rows.

    Args:
        segmenter: On its device.
        images: Batches of (pixels, masks) of `iter_size` parts; with image labels and what is of
            the image (see `wsss.data.loading.SegmentationImages`) where the seed grows.
        iterations: Optimiser steps.
        iter_size: Parts per step (gradient accumulation of the official code); several GPUs share
            them.
        learning_rate: Of the backbone.
        head_multiplier: The head's factor on it; its biases have twice that.
        momentum: Of SGD.
        weight_decay: Of all weights but the head's biases.
        schedule: See wsss.train.schedule.
        loss: `cross_entropy` or `balanced_cross_entropy`.
        seed_growing: Further arguments of `wsss.train.growing.grown_losses`, or None for masks that
            stay as they are.
        batch_norm: `frozen`, or `train` with the statistics of each part.
        computing: Arguments of `wsss.train.computing.set_computing`.
        checkpoint: Where a killed training goes on from.
    """
    device = next(segmenter.parameters()).device
    segmenter.train()
    set_computing(segmenter, **computing)
    groups = parameter_groups(
        segmenter, batch_norm=batch_norm, head_multiplier=head_multiplier, weight_decay=weight_decay
    )
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=momentum)

    def losses(batch: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        batch = [part.to(device, non_blocking=True) for part in batch]
        outputs = segmenter(segmenter.normalize(batch[0]))
        if seed_growing is not None:
            total, terms = grown_losses(outputs, batch, loss=loss, **seed_growing)
            return {"loss": total, **terms}
        each = multi_scale_losses(outputs, batch[1], loss=loss, ignore_index=IGNORE_INDEX)
        return {"loss": each.sum()}

    return fit(
        segmenter,
        optimizer,
        [images],
        losses=losses,
        schedule=schedule,
        learning_rate=learning_rate,
        steps=iterations,
        stop_after=None,
        accumulate=iter_size,
        checkpoint=checkpoint,
        description="train segmenter",
    )
