"""Importance sampling loss: the classification loss at positions drawn from the class's own map.

HFPL, Jonnarth et al., sec. 3.3 and 4.2. Global average pooling takes every position of a map for
its class; here a position is drawn in proportion to the class's posterior there, and its score is
what is classified.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

POSTERIORS = ("binomial", "multinomial")


def importance_sampling_loss(
    score_maps: Tensor,
    image_labels: Tensor,
    *,
    posterior: str,
    num_samples: int | None,
    weight_offset: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Return the importance sampling loss of one batch, a scalar (hfpl eq. 8, 15 and 18).

    Without a number of samples it is the exact expectation over the draws, whose gradient is the
    expected gradient of the drawn loss: the limit of many samples, at the cost of about one.

    Args:
        score_maps: Raw scores, (B, C, h, w) for the binomial posterior, (B, K, h, w) with the
            background first for the multinomial one.
        image_labels: (B, C) multi-hot.
        posterior: See `posterior_logits`.
        num_samples: Positions drawn per image and class (10 in the paper), None for all of them.
        weight_offset: See `log_weights`.
        generator: Source of the draws, on the CPU whatever the maps' device; not used, and may be
            None, for the exact expectation.

    Raises:
        ValueError: Shapes do not fit, an option is unknown or out of range, or draws are asked for
            without a generator.
    """
    logits = posterior_logits(score_maps, posterior=posterior)
    if num_samples is None:
        return expected_loss(logits, image_labels, weight_offset=weight_offset)
    if generator is None:
        raise ValueError("importance sampling draws positions: hand over a torch.Generator")
    positions = draw_positions(
        logits, num_samples=num_samples, weight_offset=weight_offset, generator=generator
    )
    return sampled_loss(logits, image_labels, positions)


def posterior_logits(score_maps: Tensor, *, posterior: str) -> Tensor:
    """Return the logits of the foreground posteriors, (B, C, h, w), in float32 or wider.

    "binomial", the paper's proposal, takes a score as the logit itself (eq. 14). "multinomial", the
    older form, is the softmax over the classes with background (eq. 5); the logit of a class is its
    score minus the log of the sum of the others' exponentials.

    Args:
        score_maps: (B, C, h, w), or (B, K, h, w) with the background first for "multinomial".
        posterior: "binomial" or "multinomial".

    Raises:
        ValueError: The posterior is unknown or the maps have another number of dimensions or, for
            the softmax, of channels.
    """
    if posterior not in POSTERIORS:
        raise ValueError(f"unknown posterior {posterior!r}: choose one of {', '.join(POSTERIORS)}")
    if score_maps.ndim != 4:
        raise ValueError(
            f"score maps of shape {tuple(score_maps.shape)} are not (images, classes, h, w)"
        )
    if score_maps.dtype in (torch.float16, torch.bfloat16):
        score_maps = score_maps.float()
    if posterior == "binomial":
        return score_maps
    if score_maps.shape[1] < 2:
        raise ValueError(
            "the multinomial posterior needs a background channel before those of the classes, "
            "not 1 channel alone"
        )
    return _one_against_others(score_maps)[:, 1:]


def log_weights(logits: Tensor, *, weight_offset: float) -> Tensor:
    """Return the logarithms of the drawing weights, (B, C, h*w), without gradient.

    A weight is the posterior plus the offset: 1e-5 in the authors' code, 0 in the paper (eq. 15).

    Raises:
        ValueError: The offset is negative or not finite.
    """
    if not 0 <= weight_offset < math.inf:
        raise ValueError(f"weight_offset {weight_offset} is not a finite number from 0")
    # Logarithms, in which a class whose scores are all far below zero still has a distribution.
    weights = F.logsigmoid(logits.detach().flatten(2).double())
    if weight_offset == 0:
        return weights
    return torch.logaddexp(weights, weights.new_tensor(math.log(weight_offset)))


def draw_positions(
    logits: Tensor, *, num_samples: int, weight_offset: float, generator: torch.Generator
) -> Tensor:
    """Return flat positions drawn with replacement, (B, C, num_samples) int64.

    The uniform numbers come from the CPU, so that a random seed means the same on every device.

    Args:
        logits: (B, C, h, w) of `posterior_logits`.
        num_samples: Draws per image and class, at least 1.
        weight_offset: See `log_weights`.
        generator: On the CPU.

    Raises:
        ValueError: An option is out of range.
    """
    if num_samples < 1:
        raise ValueError(f"num_samples is {num_samples}: draw at least 1 position per class")
    weights = torch.softmax(log_weights(logits, weight_offset=weight_offset), dim=2)
    cumulated = weights.cumsum(dim=2)
    uniform = torch.rand(*logits.shape[:2], num_samples, generator=generator, dtype=torch.float64)
    levels = uniform.to(logits.device) * cumulated[..., -1:]
    positions = torch.searchsorted(cumulated, levels, right=True)
    return positions.clamp(max=weights.shape[2] - 1)


def sampled_loss(logits: Tensor, image_labels: Tensor, positions: Tensor) -> Tensor:
    """Return the mean cross-entropy at drawn positions, over images, classes and draws, a scalar.

    Args:
        logits: (B, C, h, w) of `posterior_logits`.
        image_labels: (B, C) multi-hot.
        positions: Flat positions (B, C, N) of `draw_positions`; no gradient goes through them.

    Raises:
        ValueError: The labels or the positions are of other images or classes.
    """
    _check_labels(logits, image_labels)
    if positions.ndim != 3 or positions.shape[:2] != logits.shape[:2]:
        raise ValueError(
            f"positions of shape {tuple(positions.shape)} do not fit maps of shape "
            f"{tuple(logits.shape)}: give (images, classes, samples)"
        )
    drawn = logits.flatten(2).gather(2, positions)
    return _cross_entropy(drawn, image_labels).mean()


def expected_loss(logits: Tensor, image_labels: Tensor, *, weight_offset: float) -> Tensor:
    """Return the expectation of `sampled_loss` over the draws, a scalar.

    Each position's cross-entropy counts with its drawing probability, which carries no gradient, as
    it carries none where positions are drawn.

    Args:
        logits: (B, C, h, w) of `posterior_logits`.
        image_labels: (B, C) multi-hot.
        weight_offset: See `log_weights`.

    Raises:
        ValueError: The labels are of other images or classes, or the offset is out of range.
    """
    _check_labels(logits, image_labels)
    shares = torch.softmax(log_weights(logits, weight_offset=weight_offset), dim=2)
    losses = _cross_entropy(logits.flatten(2), image_labels)
    return (shares.to(losses.dtype) * losses).sum(dim=2).mean()


def mix_losses(pooled_loss: Tensor, sampled: Tensor, *, loss_weight: float) -> Tensor:
    """Return the classification loss (1 - lambda) pooled + lambda sampled (hfpl eq. 16), a scalar.

    In the authors' code it replaces the pooled loss of the first view only, lambda = 0.2, and the
    pooling is a mean over positions, where eq. 3 writes a sum.

    Raises:
        ValueError: The weight is not in 0..1.
    """
    if not 0 <= loss_weight <= 1:
        raise ValueError(f"loss_weight {loss_weight} is not in 0..1")
    return (1 - loss_weight) * pooled_loss + loss_weight * sampled


def _one_against_others(scores: Tensor) -> Tensor:
    # Subtracting the sum of the others from that of all loses the highest class, whose share is
    # close to 1; so its others are summed by themselves.
    log_share = torch.log_softmax(scores, dim=1)
    highest = scores.detach().argmax(dim=1, keepdim=True)
    is_highest = torch.zeros_like(scores, dtype=torch.bool).scatter(1, highest, True)
    others = scores.masked_fill(is_highest, -math.inf).logsumexp(dim=1, keepdim=True)
    # The inner choice keeps the gradient of the branch that is not taken finite.
    small = torch.where(is_highest, -1.0, log_share)
    return torch.where(is_highest, scores - others, small - torch.log1p(-small.exp()))


def _cross_entropy(logits: Tensor, image_labels: Tensor) -> Tensor:
    labels = image_labels.to(logits.dtype)[..., None].expand_as(logits)
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")


def _check_labels(logits: Tensor, image_labels: Tensor) -> None:
    if logits.shape[:2] != image_labels.shape:
        raise ValueError(
            f"image labels of shape {tuple(image_labels.shape)} do not fit foreground maps of "
            f"shape {tuple(logits.shape)}: labels are (images, foreground classes)"
        )
