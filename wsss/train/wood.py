"""W-OoD: fine-tuning of a classifier with out-of-distribution images (w-ood sec. 3.2)."""

from collections.abc import Mapping
from typing import Any

import torch

from wsss.losses.ood_local import local_ood_loss
from wsss.losses.wood import perturb_ood, wood_loss
from wsss.models.classifier import Classifier
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.computing import set_computing
from wsss.train.loop import fit
from wsss.train.objectives.step import Objective, step_of
from wsss.train.optimizer import classifier_optimizer, set_training_mode


def train_wood(
    classifier: Classifier,
    images: BatchStream,
    ood_images: BatchStream,
    *,
    class_means: torch.Tensor,
    cluster_means: torch.Tensor,
    objective: Objective,
    epochs: float,
    stop_after_epochs: float | None,
    learning_rate: float,
    head_multiplier: float,
    optimizer: str,
    momentum: float,
    weight_decay: float,
    schedule: str,
    batch_norm: str,
    frozen_stages: int,
    perturbation_step: float,
    lambda_: float,
    ood_coefficient: float,
    closest_fraction: float,
    metric: str,
    distance_form: str,
    distance_parts: str,
    ood_form: str,
    excluded_class: int | None,
    local_ood_coefficient: float,
    computing: Mapping[str, Any],
    checkpoint: RunningCheckpoint,
) -> list[dict[str, float]]:
    """Fine-tune in place by w-ood eq. 4 and return the log rows.

    Training and OoD images go through the network in one batch, so that batch norm in training
    mode sees both. On several GPUs each has its part of both, and what looks at a whole batch (the
    perturbation's largest gradient, the closest fraction of the official distances) looks at that.

    Args:
        classifier: F_in, on its device; it becomes F.
        images: Of the training split; batches of (pixels, image labels), with saliency behind for
            an objective that needs it.
        ood_images: Out-of-distribution images; batches of (pixels, ignored).
        class_means: P_in, float32 (C, D), zero for absent classes.
        cluster_means: P_ood, float32 (K, D), zero for empty clusters.
        objective: What is learnt from the training images, see wsss.train.objectives: the paper's
            L_cls, or the whole loss of the method that W-OoD goes on from (w-ood Table 1).
        epochs: Passes over the training images; OoD images come as often as steps ask for them.
        stop_after_epochs: Ends the training there, with the learning rates of all `epochs`, as the
            states between are (w-ood Fig. 7); None does not.
        learning_rate: Of the backbone at the schedule's peak.
        head_multiplier: The head's factor on it.
        optimizer: See wsss.train.classifier.
        momentum: Likewise.
        weight_decay: Of all trained weights.
        schedule: See wsss.train.schedule.
        batch_norm: See wsss.train.classifier.
        frozen_stages: How many of the five stages are not trained.
        local_ood_coefficient: Weight of `local_ood_loss`, which is ours; 0 in paper and code.
        perturbation_step: Of `perturb_ood`; 0 as in the paper, 0.07 in the authors' code.
        lambda_: See wsss.losses.wood.wood_loss, as for the following.
        ood_coefficient: Weight of the OoD loss.
        closest_fraction: tau.
        metric: `euclidean` or `cosine`.
        distance_form: `official` or `paper`.
        distance_parts: `both`, `in` or `ood`.
        ood_form: `official` or `paper`.
        excluded_class: Zero-based class whose OoD images do not count, or None.
        computing: Arguments of `wsss.train.computing.set_computing`.
        checkpoint: Where a killed training goes on from.
    """
    device = classifier.head.weight.device
    centres = {"class_means": class_means.to(device), "cluster_means": cluster_means.to(device)}
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

    def steps_of(epochs: float) -> int:
        return max(1, round(epochs * images.steps_per_epoch))

    def losses(batch: list[torch.Tensor], ood_batch: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        batch = [part.to(device, non_blocking=True) for part in batch]
        count = len(batch[0])
        ood_pixels = classifier.normalize(ood_batch[0].to(device, non_blocking=True))
        ood_pixels = perturb_ood(classifier, ood_pixels, step=perturbation_step)
        both = torch.cat([classifier.normalize(batch[0]), ood_pixels])
        stages = classifier.backbone.stages(both)
        features = stages[-1].mean((2, 3))
        own = objective(classifier, step_of(batch, both, stages))
        total, terms = wood_loss(
            own["loss"],
            batch[1],
            features[:count],
            ood_logits=classifier.logits_of(stages[-1][count:]),
            lambda_=lambda_,
            ood_coefficient=ood_coefficient,
            closest_fraction=closest_fraction,
            metric=metric,
            distance_form=distance_form,
            distance_parts=distance_parts,
            ood_form=ood_form,
            excluded_class=excluded_class,
            **centres,
        )
        if local_ood_coefficient:
            local = local_ood_loss(classifier.head(stages[-1][count:]))
            total, terms = total + local_ood_coefficient * local, {**terms, "local": local}
        return {**own, **terms, "loss": total}

    return fit(
        classifier,
        chosen,
        [images, ood_images],
        losses=losses,
        schedule=schedule,
        learning_rate=learning_rate,
        steps=steps_of(epochs),
        stop_after=None if stop_after_epochs is None else steps_of(stop_after_epochs),
        accumulate=1,
        checkpoint=checkpoint,
        description="train W-OoD",
    )
