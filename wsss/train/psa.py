"""Training of AffinityNet on confident labels (PSA)."""

from collections.abc import Mapping
from typing import Any

import torch

from wsss.losses.psa import psa_losses
from wsss.models.classifier import set_batch_norm_frozen
from wsss.models.psa import AffinityNet, trainable_parameters
from wsss.refine.affinity import neighbours
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.computing import set_computing
from wsss.train.loop import fit

IGNORE_INDEX = 255


def train_psa(
    network: AffinityNet,
    images: BatchStream,
    *,
    epochs: float,
    radius: int,
    learning_rate: float,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
    schedule: str,
    frozen_stages: int,
    computing: Mapping[str, Any],
    checkpoint: RunningCheckpoint,
) -> list[dict[str, float]]:
    """Train in place and return the log rows.

    The official code also changes colours at random, takes the label of a cell from the mean of
    the CRF's probabilities over its pixels (here from the pixel at its centre), and lets biases,
    which VGG-16 has, learn twice as fast without weight decay.

    Args:
        network: On its device.
        images: Batches of (pixels, confident labels with 255 where unsure).
        epochs: Passes over the images.
        radius: Of the pairs, in cells (5 in the official code).
        learning_rate: Of the backbone.
        head_multiplier: The new layers' factor on it (10 in the official code).
        momentum: See wsss.train.classifier.
        weight_decay: Of all trained weights.
        schedule: See wsss.train.schedule.
        frozen_stages: How many of the backbone's five stages do not learn.
        computing: Arguments of `wsss.train.computing.set_computing`.
        checkpoint: Where a killed training goes on from.
    """
    device = network.f9.weight.device
    parts = trainable_parameters(network, frozen_stages=frozen_stages)
    groups = [
        {"params": parts["backbone"], "multiplier": 1.0},
        {"params": parts["head"], "multiplier": head_multiplier},
    ]
    groups = [group for group in groups if group["params"]]
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=momentum, weight_decay=weight_decay)
    offsets = neighbours(radius)
    set_batch_norm_frozen(network)
    network.train()
    set_computing(network, **computing)

    def losses(batch: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        pixels, labels = (part.to(device, non_blocking=True) for part in batch)
        features = network(network.normalize(pixels))
        affinity = network.affinities(features, offsets)
        terms = psa_losses(affinity, labels.long(), offsets=offsets, ignore_index=IGNORE_INDEX)
        return {"loss": terms.pop("total"), **terms}

    return fit(
        network,
        optimizer,
        [images],
        losses=losses,
        schedule=schedule,
        learning_rate=learning_rate,
        steps=max(1, round(epochs * images.steps_per_epoch)),
        stop_after=None,
        accumulate=1,
        checkpoint=checkpoint,
        description="train AffinityNet",
    )
