"""The loss of RIB, without a saturating activation, and its pooling (dissertation 3.4.3)."""

import torch
from torch import Tensor

POOLINGS = ("gap", "gndp", "gndrp")
MARGIN_FORMS = ("official", "paper")


def rib_loss(logits: Tensor, image_labels: Tensor, *, margin: float, margin_form: str) -> Tensor:
    """Return L_RIB, minus the sum of the logits of the present classes, summed over B images.

    The authors' code has no margin in the loss; it ends the fine-tuning instead, see
    `wsss.localize.rib`.

    Args:
        logits: float (B, C), pooled scores.
        image_labels: (B, C), multi-hot.
        margin: m, above which the logit of a class no longer counts.
        margin_form: "paper" takes min(m, y) of every logit y, "official" y itself.

    Raises:
        ValueError: The shapes differ, or the margin's form is unknown.
    """
    if margin_form not in MARGIN_FORMS:
        raise ValueError(
            f"unknown margin_form {margin_form!r}: choose one of {', '.join(MARGIN_FORMS)}"
        )
    return -present_score(
        logits.clamp(max=margin) if margin_form == "paper" else logits, image_labels
    )


def present_score(logits: Tensor, image_labels: Tensor) -> Tensor:
    """Return the sum of the logits (B, C) of the classes that are present, a scalar.

    Raises:
        ValueError: The shapes differ.
    """
    if logits.ndim != 2 or logits.shape != image_labels.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} and image labels of shape "
            f"{tuple(image_labels.shape)} differ: both are (images, foreground classes)"
        )
    return (logits * image_labels.to(logits.dtype)).sum()


def pool_scores(
    score_maps: Tensor, image_labels: Tensor, *, pooling: str, score_threshold: float
) -> Tensor:
    """Return pooled scores (B, C) of raw score maps (B, C, h, w); absent classes get their mean.

    Positions are compared by their share of the largest score of their class and image; what is
    left out by this has no gradient, nor has the choice.

    Args:
        score_maps: float (B, C, h, w).
        image_labels: (B, C), multi-hot.
        pooling: "gap" is the mean. "gndrp" is the mean over the positions whose rectified share is
            at most the threshold, 0 where there is none (dissertation 3.4.3). "gndp" (authors'
            code) leaves positions out whose share is at or above the threshold, but divides by the
            number of all positions; where the largest score is below zero, a share is above zero.
        score_threshold: tau, a share of the largest score.

    Raises:
        ValueError: The shapes do not fit, or the pooling is unknown.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
    if score_maps.ndim != 4 or score_maps.shape[:2] != image_labels.shape:
        raise ValueError(
            f"score maps of shape {tuple(score_maps.shape)} do not fit image labels of shape "
            f"{tuple(image_labels.shape)}: expected (images, classes, h, w) and (images, classes)"
        )
    means = score_maps.mean((2, 3))
    if pooling == "gap":
        return means
    with torch.no_grad():
        largest = score_maps.amax((2, 3), keepdim=True)
        # Negated, so that a map of zeros, whose shares are not numbers, keeps all of them.
        if pooling == "gndp":
            kept = ~(score_maps / largest >= score_threshold)
            count = kept.new_full((), score_maps[0, 0].numel(), dtype=torch.long)
        else:
            kept = ~(score_maps.relu() / largest > score_threshold)
            count = kept.sum((2, 3)).clamp(min=1)
    return torch.where(image_labels > 0, (score_maps * kept).sum((2, 3)) / count, means)
