"""Training of the multi-label classifier F_in, alone or as further training of another."""

from collections.abc import Mapping
from typing import Any

import torch

from wsss.losses.classification import classification_loss
from wsss.models.classifier import Classifier
from wsss.train.additions import added_losses
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.computing import set_computing
from wsss.train.loop import fit
from wsss.train.optimizer import classifier_optimizer, set_training_mode


def train_classifier(
    classifier: Classifier,
    images: BatchStream,
    *,
    epochs: float,
    learning_rate: float,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
    schedule: str,
    batch_norm: str,
    frozen_stages: int,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
    computing: Mapping[str, Any],
    checkpoint: RunningCheckpoint,
) -> list[dict[str, float]]:
    """Train in place with the multi-label loss (dissertation 2.3.1) and return the log rows.

    Args:
        classifier: On its device.
        images: Of the training split; batches of (pixels, image labels).
        epochs: Passes over the images.
        learning_rate: Of the backbone at the schedule's peak.
        head_multiplier: The head's factor on the learning rate (10 in all class-map code bases).
        momentum: The class-map code bases hand the weight decay to the optimiser as momentum, so
            their effective value is 1e-4, not the 0.9 that their papers suggest.
        weight_decay: Of all trained weights.
        schedule: See wsss.train.schedule.
        batch_norm: `frozen` (running statistics, as the official ResNet-50) or `train` (those of a
            batch; on several GPUs of each one's part, as in the official data parallelism).
        frozen_stages: How many of the five stages are not trained.
        importance_sampling: See wsss.train.additions, or None.
        feature_similarity: See wsss.train.additions, or None.
        computing: Arguments of `wsss.train.computing.set_computing`.
        checkpoint: Where a killed training goes on from.
    """
    device = classifier.head.weight.device
    optimizer = classifier_optimizer(
        classifier,
        frozen_stages=frozen_stages,
        head_multiplier=head_multiplier,
        momentum=momentum,
        weight_decay=weight_decay,
    )
    set_training_mode(classifier, batch_norm=batch_norm)
    set_computing(classifier, **computing)
    additions = {
        "importance_sampling": importance_sampling,
        "feature_similarity": feature_similarity,
    }
    adds = any(options is not None for options in additions.values())

    def losses(batch: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        pixels, labels = (part.to(device, non_blocking=True) for part in batch)
        if not adds:
            return {"loss": classification_loss(classifier(classifier.normalize(pixels)), labels)}
        score_maps = classifier.score_maps(classifier.normalize(pixels))
        pooled = classification_loss(score_maps.mean((2, 3)), labels)
        added, terms = added_losses(score_maps, labels, pixels, **additions)
        return {"loss": pooled + added, "classification": pooled.detach(), **terms}

    return fit(
        classifier,
        optimizer,
        [images],
        losses=losses,
        schedule=schedule,
        learning_rate=learning_rate,
        steps=max(1, round(epochs * images.steps_per_epoch)),
        accumulate=1,
        checkpoint=checkpoint,
        description="train classifier",
    )
