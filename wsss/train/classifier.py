"""Training of a classifier on image labels, alone or as further training of another."""

from collections.abc import Mapping
from typing import Any

import torch

from wsss.models.classifier import Classifier
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.computing import set_computing
from wsss.train.loop import fit
from wsss.train.objectives.step import Objective, step_of
from wsss.train.optimizer import classifier_optimizer, set_training_mode


def train_classifier(
    classifier: Classifier,
    images: BatchStream,
    *,
    objective: Objective,
    epochs: float,
    learning_rate: float,
    head_multiplier: float,
    optimizer: str,
    momentum: float,
    weight_decay: float,
    schedule: str,
    batch_norm: str,
    frozen_stages: int,
    computing: Mapping[str, Any],
    checkpoint: RunningCheckpoint,
) -> list[dict[str, float]]:
    """Train in place and return the log rows.

    Args:
        classifier: On its device.
        images: Of the training split; batches of (pixels, image labels), with saliency behind for
            an objective that needs it.
        objective: What is learnt, see wsss.train.objectives.
        epochs: Passes over the images.
        learning_rate: Of the backbone at the schedule's peak.
        head_multiplier: The head's factor on the learning rate (10 in all class-map code bases).
        optimizer: See wsss.train.optimizer; SGD in all official class-map code.
        momentum: The class-map code bases hand the weight decay to the optimiser as momentum, so
            their effective value is 1e-4, not the 0.9 that their papers suggest.
        weight_decay: Of all trained weights.
        schedule: See wsss.train.schedule.
        batch_norm: `frozen` (running statistics, as the official ResNet-50) or `train` (those of a
            batch; on several GPUs of each one's part, as in the official data parallelism).
        frozen_stages: How many of the five stages are not trained.
        computing: Arguments of `wsss.train.computing.set_computing`.
        checkpoint: Where a killed training goes on from.
    """
    device = classifier.head.weight.device
    chosen = classifier_optimizer(
        classifier,
        frozen_stages=frozen_stages,
        head_multiplier=head_multiplier,
        optimizer=optimizer,
        momentum=momentum,
        weight_decay=weight_decay,
    )
    set_training_mode(classifier, batch_norm=batch_norm)
    set_computing(classifier, **computing)

    def losses(batch: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        batch = [part.to(device, non_blocking=True) for part in batch]
        x = classifier.normalize(batch[0])
        return objective(classifier, step_of(batch, x, classifier.backbone.stages(x)))

    return fit(
        classifier,
        chosen,
        [images],
        losses=losses,
        schedule=schedule,
        learning_rate=learning_rate,
        steps=max(1, round(epochs * images.steps_per_epoch)),
        stop_after=None,
        accumulate=1,
        checkpoint=checkpoint,
        description="train classifier",
    )
