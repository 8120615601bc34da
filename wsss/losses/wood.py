"""Losses of W-OoD: training with out-of-distribution (OoD) images (w-ood sec. 3.2).

`image_labels` and `logits` are (B, C); features and centres are those of `wood_distance`.
"""

from collections.abc import Callable

import torch

from wsss.losses.classification import soft_margin
from wsss.losses.wood_distance import FORMS, check_choice, distance_terms

PARTS = ("both", "in", "ood")


def perturb_ood(
    model_fn: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, *, step: float
) -> torch.Tensor:
    """Return OoD images moved one step up their own highest class score, without a gradient.

    Only the authors' code does this (step 0.07), the paper does not (step 0). The gradient is
    divided by its largest absolute value over the whole batch, and the result is clamped to the
    batch's own range, so an image depends on the others of its batch.

    Args:
        model_fn: normalized images -> logits (B, C); the bare network, not its data-parallel
            wrapper, whose hooks would fire twice. Parameter gradients are left alone.
        images: float (B, ...), normalized.
        step: length of the step in normalized units, >= 0; 0 returns the images.
    """
    if step == 0:
        return images
    with torch.enable_grad():
        climbing = images.detach().requires_grad_()
        highest = model_fn(climbing).max(dim=1).values.sum()
        (gradient,) = torch.autograd.grad(highest, climbing)
    # A flat score has gradient zero everywhere: the images then stay, instead of becoming NaN.
    largest = gradient.abs().max().clamp_min(torch.finfo(gradient.dtype).tiny)
    moved = images.detach() + step * (gradient / largest)
    return moved.clamp(images.detach().min(), images.detach().max())


def counted_items(logits: torch.Tensor, *, excluded_class: int | None) -> torch.Tensor:
    """Return which OoD images count in the loss, bool (B,).

    The authors' code leaves out the images whose highest (perturbed) score is class 4, zero-based,
    the bottle of PASCAL VOC; the paper leaves out none (None).

    Raises:
        ValueError: if `excluded_class` is not a class.
    """
    if excluded_class is None:
        return torch.ones(len(logits), dtype=torch.bool, device=logits.device)
    if not 0 <= excluded_class < logits.shape[1]:
        raise ValueError(
            f"excluded class {excluded_class} is not one of the {logits.shape[1]} classes: "
            "give a class id from 0, or none"
        )
    return logits.argmax(dim=1) != excluded_class


def ood_loss(
    logits: torch.Tensor,
    *,
    excluded_class: int | None,
    in_distribution_batch: int,
    form: str,
) -> torch.Tensor:
    """Return the cross-entropy of OoD images against no class at all, a scalar (w-ood eq. 3).

    Form "paper" is the mean over the OoD images that count; form "official" divides their sum by
    the size of the in-distribution batch instead. Without images that count it is zero.

    Args:
        logits: float (B', C) of the OoD batch.
        excluded_class: see `counted_items`.
        in_distribution_batch: number B of training images in the step.
        form: "official" or "paper".

    Raises:
        ValueError: if the form or the class is unknown or the batch size is below 1.
    """
    check_choice("form", form, FORMS)
    if in_distribution_batch < 1:
        raise ValueError(
            f"in-distribution batch of {in_distribution_batch} images: give at least 1"
        )
    counts = counted_items(logits, excluded_class=excluded_class)
    total = torch.where(counts, soft_margin(logits, torch.zeros_like(logits)), 0.0).sum()
    if form == "official":
        return total / in_distribution_batch
    return total / counts.sum().clamp_min(1)


def wood_loss(
    classification: torch.Tensor,
    image_labels: torch.Tensor,
    features: torch.Tensor,
    *,
    ood_logits: torch.Tensor,
    class_means: torch.Tensor,
    cluster_means: torch.Tensor,
    lambda_: float,
    ood_coefficient: float,
    closest_fraction: float,
    metric: str,
    distance_form: str,
    distance_parts: str,
    ood_form: str,
    excluded_class: int | None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the loss of one W-OoD step, w-ood eq. 4, and its terms before their weights.

    Total = classification + `lambda_` * distance + `ood_coefficient` * OoD loss. Eq. 3 and 4 of the
    paper have an OoD coefficient of 1, the authors' code 0.25. Both weights at 0 and single
    `distance_parts` give the ablations of w-ood Table 5.

    Args:
        classification: what the training images teach by themselves, a scalar with gradient: the
            classification loss, or the whole loss of the method that W-OoD is added to.
        image_labels: (B, C) multi-hot.
        features: (B, D) pooled features of the training images, with gradient.
        ood_logits: (B', C) of the OoD images, after `perturb_ood` where that is used.
        class_means: (C, D).
        cluster_means: (K, D).
        lambda_: weight of the distance loss (0.007).
        ood_coefficient: weight of the OoD loss.
        closest_fraction: tau, see `distance_terms`.
        metric: see `distances`.
        distance_form: form of `distance_terms`.
        distance_parts: "both", or only the term of the classes ("in") or of the clusters ("ood").
        ood_form: form of `ood_loss`.
        excluded_class: see `counted_items`.

    Returns:
        The total with gradient, and the detached scalars distance, distance_in, distance_ood and
        ood.

    Raises:
        ValueError: if shapes do not fit or an option is unknown or out of range.
    """
    check_choice("distance_parts", distance_parts, PARTS)
    own, near = distance_terms(
        features,
        image_labels,
        class_means=class_means,
        cluster_means=cluster_means,
        form=distance_form,
        closest_fraction=closest_fraction,
        metric=metric,
    )
    distance = {"both": own - near, "in": own, "ood": -near}[distance_parts]
    ood = ood_loss(
        ood_logits,
        excluded_class=excluded_class,
        in_distribution_batch=len(features),
        form=ood_form,
    )
    terms = {
        "distance": distance,
        "distance_in": own,
        "distance_ood": near,
        "ood": ood,
    }
    total = classification + lambda_ * distance + ood_coefficient * ood
    return total, {name: term.detach() for name, term in terms.items()}
