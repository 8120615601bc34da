"""HFPL's additions to what a classifier learns from training images, for any objective."""

from collections.abc import Mapping
from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.losses.fsl import feature_similarity_loss
from wsss.losses.fsl_gates import gate_predictions
from wsss.losses.isl import importance_sampling_loss, mix_losses


class Added(TypedDict):
    """What a training adds to its objective.

    Attributes:
        importance_sampling: `options` of `mixed_classification`, or None.
        feature_similarity: `options` of `added_similarity`, or None.
    """

    importance_sampling: Mapping[str, Any] | None
    feature_similarity: Mapping[str, Any] | None


def mixed_classification(
    pooled: Tensor,
    score_maps: Tensor,
    image_labels: Tensor,
    *,
    background: Tensor | None,
    options: Mapping[str, Any] | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the classification loss, of which importance sampling takes its share, and its term.

    Positions are drawn from the generator of the whole training, which a checkpoint holds.

    Args:
        pooled: The classification loss of pooled scores, a scalar (hfpl eq. 16).
        score_maps: Raw scores (B, C, h, w).
        image_labels: (B, C) multi-hot.
        background: Raw scores (B, 1, h, w) of a classifier with a background output, or None; only
            the multinomial posterior sees it.
        options: `loss_weight`, and `posterior`, `num_samples`, `weight_offset` of wsss.losses.isl;
            None leaves the loss as it is.

    Raises:
        ValueError: The multinomial posterior is asked of a classifier without a background output.
    """
    if options is None:
        return pooled, {}
    given = dict(options)
    share = given.pop("loss_weight")
    if given["posterior"] == "multinomial":
        if background is None:
            raise ValueError(
                "importance sampling with multinomial posteriors needs a classifier with a "
                "background output, as EPS's is: take the binomial ones, or another classifier"
            )
        score_maps = torch.cat([background, score_maps], dim=1)
    sampled = importance_sampling_loss(
        score_maps, image_labels, generator=torch.default_generator, **given
    )
    return mix_losses(pooled, sampled, loss_weight=share), {"importance_sampling": sampled.detach()}


def added_similarity(
    score_maps: Tensor,
    image_labels: Tensor,
    pixels: Tensor,
    *,
    options: Mapping[str, Any] | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the feature similarity loss with its weight, and its term.

    Args:
        score_maps: Raw scores (B, C, h, w).
        image_labels: (B, C) multi-hot.
        pixels: RGB (B, 3, H, W), uint8.
        options: `weight`, `mu`, `sigma`, `reach` (see wsss.losses.fsl), `gate` and `background`
            (see wsss.losses.fsl_gates); None adds nothing.
    """
    if options is None:
        return score_maps.new_zeros(()), {}
    given = dict(options)
    weight = given.pop("weight")
    predictions = gate_predictions(
        score_maps, image_labels, gate=given.pop("gate"), background=given.pop("background")
    )
    images = F.interpolate(
        pixels.to(predictions) / 255, score_maps.shape[2:], mode="bilinear", align_corners=True
    )
    similarity = feature_similarity_loss(predictions, images, **given)
    return weight * similarity, {"feature_similarity": similarity.detach()}
