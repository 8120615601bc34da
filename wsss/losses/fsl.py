"""Feature similarity loss: predictions should change where the image's colour does.

HFPL, Jonnarth et al., sec. 3.4 and 4.3. Over all ordered pairs of pixels,

    loss = - 1 / (B h w) * sum_ij  w_ij * |a_i - a_j|^2 / 2 * f(colour difference of i and j).

Weights and colours carry no gradient, so that the sum is a quadratic form of the predictions. With
W_ij = w_ij f_ij and (L a)_i = sum_j W_ij (a_i - a_j), it is sum_i a_i (L a)_i, and its gradient is
2 L a: one pass gives both, and no pair is kept.
"""

import math

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

# Keeps the logarithm of eq. 12 finite, as in the official code.
EPSILON = 1e-5
# Beyond, eq. 12 is 1 or -1 in every float type: its logarithm lies within 12 of zero.
LARGEST_MU = 40.0
# Narrower blocks of columns cost more calls than they save pairs.
NARROWEST_BLOCK = 16


def feature_similarity_loss(
    predictions: Tensor,
    images: Tensor,
    *,
    mu: float,
    sigma: float | None,
    reach: float | None,
) -> Tensor:
    """Return the feature similarity loss, a scalar (hfpl eq. 9 to 13), with gradient once.

    Without a reach it is that of all pairs, exactly. With one, pairs beyond it do not count: what
    of a Gaussian's weight this leaves out says `neglected_weight` (4e-6 at 5 sigma), and the loss
    changes by about this times the largest |a_i - a_j|^2 / 2 at most. At a fixed reach time and
    memory are linear in pixels; memory is so in any case but for the width of a row.

    The official code's fast mode has a reach too, but by a slip of its indices it sees only the
    first image of a batch; here all count.

    Args:
        predictions: Maps (B, K, h, w), as `wsss.losses.fsl_gates` makes them.
        images: RGB (B, 3, h, w) in 0..1, not normalized; clamped to that range. The official
            code shrinks them to the maps' size bilinearly with corners aligned.
        mu: Shifts which colour differences count as equal (2.5 in the paper).
        sigma: Standard deviation of the Gaussian in map pixels (5 in the paper), or None for equal
            weights of 1 / (h w), as in the official code.
        reach: Greatest distance of a pair in map pixels, or None for all pairs.

    Raises:
        ValueError: Shapes do not fit, or sigma or reach is not positive.
    """
    _check(predictions, images, mu=mu, sigma=sigma, reach=reach)
    wide = torch.promote_types(predictions.dtype, torch.float32)
    colours = images.detach().to(predictions.device, wide).clamp(0, 1)
    return _QuadraticForm.apply(predictions.to(wide), colours, mu, sigma, reach)


def neglected_weight(reach: float, *, sigma: float) -> float:
    """Return the share 0..1 of a Gaussian's weight in the plane beyond a distance in pixels."""
    return math.exp(-(reach**2) / (2 * sigma**2))


def similarity_laplacian(
    predictions: Tensor,
    colours: Tensor,
    *,
    mu: float,
    sigma: float | None,
    reach: float | None,
) -> Tensor:
    """Return L a, (B, K, h, w): for each pixel i the sum over j of W_ij (a_i - a_j).

    Rows are paired with the rows at or below them, at one distance after the other, and their
    columns in blocks about as wide as the reach, so that what lies beyond is hardly computed.

    Args:
        predictions: a, float (B, K, h, w).
        colours: (B, 3, h, w) in 0..1, of the same type.
        mu: See `feature_similarity_loss`.
        sigma: See `feature_similarity_loss`.
        reach: See `feature_similarity_loss`.
    """
    height, width = predictions.shape[2:]
    values = predictions.permute(0, 2, 3, 1).contiguous()
    channels = colours.permute(1, 0, 2, 3).contiguous()
    # Squared distances are integers, and so is the bound that they are compared with.
    farthest = height**2 + width**2 if reach is None else math.floor(reach**2)
    result = torch.zeros_like(values)
    for dy in range(min(height - 1, math.isqrt(farthest)) + 1):
        upper, lower = slice(0, height - dy), slice(dy, height)
        for left, right in _column_blocks(width, math.isqrt(farthest - dy**2)):
            weights = _spatial_weights(
                left, right, dy=dy, sigma=sigma, farthest=farthest, like=colours
            )
            weights = weights * dissimilarity(
                channels[:, :, upper, left].unsqueeze(-1),
                channels[:, :, lower, right].unsqueeze(-2),
                mu=mu,
            )
            source, target = values[:, upper, left], values[:, lower, right]
            result[:, upper, left] += _differences(weights, source, target)
            if dy > 0:
                result[:, lower, right] += _differences(weights.transpose(-1, -2), target, source)
    return result.permute(0, 3, 1, 2)


def dissimilarity(first: Tensor, second: Tensor, *, mu: float) -> Tensor:
    """Return how different colours are, -1..1 (hfpl eq. 12 and 13), of any broadcast shape.

    tanh(mu + log(u / v)) is (e^mu u^2 - e^-mu v^2) / (e^mu u^2 + e^-mu v^2), without a logarithm.

    Args:
        first: Colours 0..1, the channels in the first dimension.
        second: The same, broadcast against the first.
        mu: See `feature_similarity_loss`.
    """
    factor = math.exp(min(max(mu, -LARGEST_MU), LARGEST_MU))
    difference = (first[0] - second[0]).abs_()
    for one, other in zip(first[1:], second[1:], strict=True):
        difference += (one - other).abs_()
    difference /= len(first)
    equal = (1 + EPSILON - difference).square_().div_(factor)
    difference = difference.add_(EPSILON).square_().mul_(factor)
    return (difference - equal).div_(difference.add_(equal))


def _differences(weights: Tensor, own: Tensor, other: Tensor) -> Tensor:
    return weights.sum(-1, keepdim=True) * own - weights @ other


def _column_blocks(width: int, reach: int) -> list[tuple[slice, slice]]:
    """Return blocks of columns, each with the columns within reach of it."""
    size = -(-width // max(1, round(width / max(reach + 1, NARROWEST_BLOCK))))
    starts = range(0, width, size)
    return [
        (
            slice(start, min(start + size, width)),
            slice(max(start - reach, 0), min(start + size + reach, width)),
        )
        for start in starts
    ]


def _spatial_weights(
    left: slice, right: slice, *, dy: int, sigma: float | None, farthest: int, like: Tensor
) -> Tensor:
    """Return w_ij (hfpl eq. 10) of the columns of two rows `dy` apart, 0 for pairs too far."""
    columns = [
        torch.arange(s.start, s.stop, dtype=like.dtype, device=like.device) for s in (left, right)
    ]
    squared = (columns[0][:, None] - columns[1]).square() + dy**2
    if sigma is None:
        weights = torch.full_like(squared, 1 / like[0, 0].numel())
    else:
        weights = torch.exp(-squared / (2 * sigma**2)) / (2 * math.pi * sigma**2)
    return weights.masked_fill(squared > farthest, 0)


class _QuadraticForm(torch.autograd.Function):
    """The loss, keeping its gradient from the forward pass."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        predictions: Tensor,
        colours: Tensor,
        mu: float,
        sigma: float | None,
        reach: float | None,
    ) -> Tensor:
        """Return the loss, a scalar."""
        # In half precision the products would lose what the differences are made of.
        with torch.autocast(predictions.device.type, enabled=False):
            applied = similarity_laplacian(predictions, colours, mu=mu, sigma=sigma, reach=reach)
        count = len(predictions) * predictions[0, 0].numel()
        applied /= -count
        ctx.save_for_backward(applied)
        return (predictions * applied).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the predictions."""
        (applied,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return 2 * gradient * applied, None, None, None, None


def _check(
    predictions: Tensor, images: Tensor, *, mu: float, sigma: float | None, reach: float | None
) -> None:
    if predictions.ndim != 4 or images.shape != (len(predictions), 3, *predictions.shape[2:]):
        raise ValueError(
            f"images of shape {tuple(images.shape)} do not fit predictions of shape "
            f"{tuple(predictions.shape)}: shrink them to (images, 3, h, w) of the maps"
        )
    if predictions.numel() == 0:
        raise ValueError(f"predictions of shape {tuple(predictions.shape)} hold no value")
    if not math.isfinite(mu):
        raise ValueError(f"mu {mu} is not a finite number")
    for name, value in (("sigma", sigma), ("reach", reach)):
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} {value} is not a finite number above 0: give one, or none")
