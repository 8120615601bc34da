"""Training of IRN's boundary and displacement branches on confident labels."""

from collections.abc import Mapping
from typing import Any

import torch

from wsss.losses.irn import irn_losses
from wsss.models.irn import IRNet, fit_mean_shift, trainable_parameters
from wsss.refine.affinity import path_groups
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.computing import set_computing
from wsss.train.distributed import average
from wsss.train.loop import fit

IGNORE_INDEX = 255


def train_irn(
    irnet: IRNet,
    images: BatchStream,
    *,
    epochs: float,
    radius: int,
    learning_rate: float,
    displacement_factor: float,
    momentum: float,
    weight_decay: float,
    schedule: str,
    computing: Mapping[str, Any],
    checkpoint: RunningCheckpoint,
) -> list[dict[str, float]]:
    """Train in place, store the mean displacement, and return the log rows.

    Args:
        irnet: On its device; its backbone does not learn.
        images: Batches of (pixels, confident labels with 255 where unsure).
        epochs: Passes over the images.
        radius: Of the pairs, in cells (10 in the official code).
        learning_rate: Of the boundary branch.
        displacement_factor: The displacement branch's factor on it (10 in the official code).
        momentum: See wsss.train.classifier.
        weight_decay: Of all trained weights.
        schedule: See wsss.train.schedule.
        computing: Arguments of `wsss.train.computing.set_computing`.
        checkpoint: Where a killed training goes on from.
    """
    device = irnet.fc_edge6.weight.device
    parts = trainable_parameters(irnet)
    optimizer = torch.optim.SGD(
        [
            {"params": parts["edge"], "multiplier": 1.0},
            {"params": parts["displacement"], "multiplier": displacement_factor},
        ],
        lr=0.0,
        momentum=momentum,
        weight_decay=weight_decay,
    )
    # Else several GPUs would wait for its gradients and add them up.
    irnet.backbone.requires_grad_(False)
    paths = path_groups(radius)
    irnet.train()
    set_computing(irnet, **computing)

    def losses(batch: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        pixels, labels = (part.to(device, non_blocking=True) for part in batch)
        edge, displacement = irnet(irnet.normalize(pixels))
        terms = irn_losses(
            edge, displacement, labels.long(), paths=paths, ignore_index=IGNORE_INDEX
        )
        return {"loss": terms.pop("total"), **terms}

    steps = max(1, round(epochs * images.steps_per_epoch))
    history = fit(
        irnet,
        optimizer,
        [images],
        losses=losses,
        schedule=schedule,
        learning_rate=learning_rate,
        steps=steps,
        stop_after=None,
        accumulate=1,
        checkpoint=checkpoint,
        description="train IRN",
    )
    # One more pass over the training views, beyond those already seen, for the mean displacement.
    after = images.batches(steps, steps + images.steps_per_epoch)
    fit_mean_shift(irnet, (irnet.normalize(pixels.to(device)) for pixels, _ in after))
    average([irnet.mean_shift.running_mean])
    return history
