"""Losses of SEAM: an image and a smaller view of it have the same maps (Wang et al. 2020).

Raw `scores` are (B, C, h, w); `refined` maps are (B, K, h, w), background first; `image_labels` are
(B, C). Names of the paper: "equivariant regularisation" (ER) for the raw maps, "equivariant cross
refinement" (ECR) for the refined ones.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.losses.classification import classification_loss

EPSILON = 1e-5
POOLINGS = ("official", "paper")
# Share of an image's positions, those of the lowest maps, that minimum pooling sees.
LOWEST_FRACTION = 0.25


class View(NamedTuple):
    """What the network says of one view: `scores`, `refined`, and the view's (H, W) in pixels."""

    scores: Tensor
    refined: Tensor
    size: tuple[int, int]


def second_view(pixels: Tensor, *, scale: float) -> Tensor:
    """Return a batch (B, 3, H, W) resized to (floor(H * scale), floor(W * scale)).

    Bilinear with corners aligned, after the normalisation, as the official code does at its scale
    of 0.3.

    Raises:
        ValueError: Nothing is left of the images.
    """
    size = tuple(int(length * scale) for length in pixels.shape[2:])
    if min(size) < 1:
        raise ValueError(
            f"a second view of scale {scale} has no pixel where the first has "
            f"{pixels.shape[2]} x {pixels.shape[3]}: make the crops or the scale larger"
        )
    return _resized(pixels, size)


def normalized_maps(maps: Tensor) -> Tensor:
    """Return maps (B, K, h, w) in 0..1, per image and class, with gradient through both ends.

    ReLU; then less (the minimum + 1e-5); ReLU; divided by (maximum - minimum + 1e-5), as the
    official code does; hfpl eq. 4 takes no minimum off.
    """
    rectified = maps.relu()
    lowest, highest = (
        extreme(rectified, (2, 3), keepdim=True) for extreme in (torch.amin, torch.amax)
    )
    return (rectified - lowest - EPSILON).relu() / (highest - lowest + EPSILON)


def with_background(maps: Tensor) -> Tensor:
    """Return maps (B, C, h, w) in 0..1 behind their background, 1 - the largest, (B, K, h, w)."""
    return torch.cat([1 - maps.amax(1, keepdim=True), maps], dim=1)


def largest_only(maps: Tensor) -> Tensor:
    """Return maps (B, K, h, w) with per position the background and only the largest class.

    Equals of the largest stay.
    """
    foreground = maps[:, 1:]
    kept = foreground == foreground.amax(1, keepdim=True)
    return torch.cat([maps[:, :1], foreground.where(kept, 0.0)], dim=1)


def minimum_pooling(refined: Tensor, image_labels: Tensor) -> Tensor:
    """Return the mean largest class map, rectified, over the lowest quarter of positions, a scalar.

    Only the official code has this loss; it says that it moves the best background threshold, not
    the best result.

    Args:
        refined: (B, K, H, W) at the view's size.
        image_labels: (B, C).
    """
    largest = (refined[:, 1:] * _over_positions(image_labels)).amax(1).flatten(1)
    count = max(1, int(largest.shape[1] * LOWEST_FRACTION))
    return largest.topk(count, largest=False).values.relu().mean()


def cross_refinement(refined: Tensor, target: Tensor, *, hardest_fraction: float) -> Tensor:
    """Return the mean of every image's largest differences to the other view's maps, a scalar.

    Args:
        refined: normalised refined maps (B, K, h, w) of one view.
        target: normalised raw maps (B, K, h, w) of the other, see `largest_only`; they are a
            target, without gradient.
        hardest_fraction: share of an image's K * h * w differences that count (SEAM: 0.2).
    """
    differences = (largest_only(target.detach()) - refined).abs().flatten(1)
    count = max(1, int(differences.shape[1] * hardest_fraction))
    return differences.topk(count).values.mean()


def seam_terms(
    first: View, second: View, image_labels: Tensor, *, hardest_fraction: float, pooling: str
) -> dict[str, Tensor]:
    """Return the terms of SEAM's loss before their weights, as scalars with gradient.

    Two of each: classification_1 and classification_2, minimum_1 and minimum_2, refinement_1 and
    refinement_2, by the view whose maps learn; and equivariance. A loss that takes the place of a
    term (HFPL: importance sampling, in classification_1) is put there before `seam_total`.

    The first view's maps are stretched over its pixels, normalised and then shrunk to the second's;
    ER is the mean absolute difference of the raw maps, over all classes and positions, absent
    classes being zero.

    Args:
        first: the images.
        second: their `second_view`.
        image_labels: (B, C) multi-hot.
        hardest_fraction: see `cross_refinement`.
        pooling: "official" pools the scores stretched over the view's pixels (corners aligned),
            which counts the outermost ones half; "paper" the score map itself.

    Raises:
        ValueError: Shapes do not fit, or the pooling is unknown.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
    for view in (first, second):
        _check(view, image_labels)
    labels = _over_positions(image_labels).to(first.scores)
    labels_and_background = torch.cat([torch.ones_like(labels[:, :1]), labels], dim=1)
    terms, raw, refined = {}, [], []
    for number, view in enumerate((first, second), start=1):
        scores, maps = (_resized(part, view.size) for part in (view.scores, view.refined))
        pooled = (view.scores if pooling == "paper" else scores).mean((2, 3))
        terms[f"classification_{number}"] = classification_loss(pooled, image_labels)
        terms[f"minimum_{number}"] = minimum_pooling(maps, image_labels)
        raw.append(_resized(normalized_maps(scores), second.size) * labels)
        refined.append(_resized(normalized_maps(maps), second.size) * labels_and_background)
    terms["equivariance"] = (raw[0] - raw[1]).abs().mean()
    for number, (own, other) in enumerate(((0, 1), (1, 0)), start=1):
        terms[f"refinement_{number}"] = cross_refinement(
            refined[own], with_background(raw[other]), hardest_fraction=hardest_fraction
        )
    return terms


def seam_total(
    terms: Mapping[str, Tensor],
    *,
    minimum_weight: float,
    equivariance_weight: float,
    refinement_weight: float,
) -> Tensor:
    """Return SEAM's loss from `seam_terms`, a scalar.

    The mean of both classifications, + weight * the mean of both minimum poolings (official 1,
    paper 0), + weight * ER, + weight * the sum of both ECR (both 1 there).
    """
    return (
        (terms["classification_1"] + terms["classification_2"]) / 2
        + minimum_weight * (terms["minimum_1"] + terms["minimum_2"]) / 2
        + equivariance_weight * terms["equivariance"]
        + refinement_weight * (terms["refinement_1"] + terms["refinement_2"])
    )


def _check(view: View, image_labels: Tensor) -> None:
    scores, refined = tuple(view.scores.shape), tuple(view.refined.shape)
    fits = len(scores) == 4 and scores[:2] == tuple(image_labels.shape)
    if not fits or refined != (scores[0], scores[1] + 1, *scores[2:]):
        raise ValueError(
            f"scores {scores}, refined maps {refined} and image labels "
            f"{tuple(image_labels.shape)} do not fit: give (B, C, h, w), (B, C + 1, h, w) with the "
            "background first, and (B, C)"
        )


def _over_positions(image_labels: Tensor) -> Tensor:
    return image_labels[:, :, None, None]


def _resized(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return F.interpolate(maps, size, mode="bilinear", align_corners=True)
