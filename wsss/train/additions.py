"""HFPL's additions to the classification of training images, for any classifier training."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from wsss.losses.classification import classification_loss
from wsss.losses.fsl import feature_similarity_loss
from wsss.losses.fsl_gates import gate_predictions
from wsss.losses.isl import importance_sampling_loss, mix_losses


def added_losses(
    score_maps: torch.Tensor,
    image_labels: torch.Tensor,
    pixels: torch.Tensor,
    *,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return what is added to a loss that holds the classification loss, and its terms for the log.

    Importance sampling takes the place of a share of the classification loss (hfpl eq. 16), so its
    share of the difference is added; the feature similarity loss is added with its weight.
    Positions are drawn from the generator of the whole training, which a checkpoint holds.

    Args:
        score_maps: Raw scores (B, C, h, w) of the training images, whose means are the logits.
        image_labels: (B, C) multi-hot.
        pixels: RGB (B, 3, H, W), uint8.
        importance_sampling: `loss_weight`, `num_samples`, `weight_offset` (see wsss.losses.isl), or
            None.
        feature_similarity: `weight`, `mu`, `sigma`, `reach` (see wsss.losses.fsl), `gate` and
            `background` (see wsss.losses.fsl_gates), or None.
    """
    total, terms = score_maps.new_zeros(()), {}
    if importance_sampling is not None:
        options = dict(importance_sampling)
        share = options.pop("loss_weight")
        sampled = importance_sampling_loss(
            score_maps,
            image_labels,
            posterior="binomial",
            generator=torch.default_generator,
            **options,
        )
        pooled = classification_loss(score_maps.mean((2, 3)), image_labels)
        total = total + mix_losses(pooled, sampled, loss_weight=share) - pooled
        terms["importance_sampling"] = sampled.detach()
    if feature_similarity is not None:
        options = dict(feature_similarity)
        weight, gate = options.pop("weight"), options.pop("gate")
        predictions = gate_predictions(
            score_maps, image_labels, gate=gate, background=options.pop("background")
        )
        images = F.interpolate(
            pixels.to(predictions) / 255, score_maps.shape[2:], mode="bilinear", align_corners=True
        )
        similarity = feature_similarity_loss(predictions, images, **options)
        total = total + weight * similarity
        terms["feature_similarity"] = similarity.detach()
    return total, terms
