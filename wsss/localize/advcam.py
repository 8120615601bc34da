"""AdvCAM: maps of images that climb their own class score (Lee et al. 2021; dissertation 3.3)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from wsss.localize._views import Targets, localize_by_scale, score_maps, views_per_pass
from wsss.models.classifier import Classifier

TINY = 1e-12
HALF_SCALE_STEPS = ("official", "same")
ACCUMULATIONS = ("official", "plain")


class Step(NamedTuple):
    """State of one step of the climb, before the images move; N pairs of one size.

    `pairs` (N, 2, 3, H, W) are the normalised images; `maps` (N, 2, h, w) their maps, the second of
    a pair mirrored; `mean_scores` (N, 2, C) the spatial means of the rectified scores.
    """

    pairs: Tensor
    maps: Tensor
    mean_scores: Tensor


def localize(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    *,
    scales: Sequence[float],
    map_stride: int,
    alignment: str,
    batch_size: int,
    precision: str,
    steps: int,
    step_size: float,
    regularization_weight: float,
    score_threshold: float,
    half_scale_steps: str,
    accumulation: str,
) -> list[np.ndarray]:
    """Return AdvCAM's maps of every image's own classes (dissertation eq. 3.2 to 3.5).

    Every (image, class, scale) starts from the clean image and its mirror image; the maps of all
    steps are summed, then joined over scales like class activation maps. The result does not depend
    on which images share a batch.

    Args:
        model: Classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        scales: Factors on the image's size; each is climbed with its mirror image.
        map_stride: Pixels per map cell.
        alignment: "official" or "centres", see `cam.localize`. It concerns the final maps; the
            climb itself always adds a pair's feature maps as the official code does.
        batch_size: Views of scale 1 in one pass through the network; a view of scale s counts s^2.
        precision: "full" is the model's own type; "bfloat16" lets convolutions run in bfloat16.
        steps: Maps per class and scale (the image moves between them).
        step_size: Largest change of a normalised pixel value in one step.
        regularization_weight: Weight of the term that holds already high attributions.
        score_threshold: Share of the map's maximum above which an attribution is held.
        half_scale_steps: "official" halves the steps at scale 0.5 (see `steps_at`), "same" keeps
            them.
        accumulation: "official" doubles the sum of all scales when steps > 10 and scale 0.5 takes
            part, a factor meant for scale 0.5 only (it acts through the 1e-5 beside the maximum);
            "plain" does not.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids, a named option or the classifier do not fit.
    """
    factor = sum_factor(scales, steps=steps, accumulation=accumulation)

    def maps_of(pairs: Tensor, targets: Targets, scale: float) -> Tensor:
        return factor * climbed_maps(
            model,
            pairs,
            targets.image_index,
            targets.class_index,
            views=views_per_pass(batch_size, scale),
            precision=precision,
            steps=steps_at(scale, steps=steps, half_scale_steps=half_scale_steps),
            step_size=step_size,
            regularization_weight=regularization_weight,
            score_threshold=score_threshold,
        )

    return localize_by_scale(
        model,
        images,
        class_ids,
        maps_of,
        scales=scales,
        map_stride=map_stride,
        alignment=alignment,
    )


def sum_factor(scales: Sequence[float], *, steps: int, accumulation: str) -> float:
    """Return by what the sum of all steps' maps is multiplied; see `localize`.

    Raises:
        ValueError: `accumulation` is unknown.
    """
    if accumulation not in ACCUMULATIONS:
        raise ValueError(
            f"unknown accumulation {accumulation!r}: choose one of {', '.join(ACCUMULATIONS)}"
        )
    return 2.0 if accumulation == "official" and steps > 10 and 0.5 in scales else 1.0


def steps_at(scale: float, *, steps: int, half_scale_steps: str) -> int:
    """Return the number of steps at a scale.

    Official, at scale 0.5: half of them rounded down above 10 steps, 5 from 6 to 10, all below 6.

    Raises:
        ValueError: `half_scale_steps` is unknown.
    """
    if half_scale_steps not in HALF_SCALE_STEPS:
        raise ValueError(
            f"unknown half_scale_steps {half_scale_steps!r}: "
            f"choose one of {', '.join(HALF_SCALE_STEPS)}"
        )
    if scale != 0.5 or half_scale_steps == "same":
        return steps
    return steps // 2 if steps > 10 else min(steps, 5)


def climbed_maps(
    model: Classifier,
    pairs: Tensor,
    image_index: Tensor,
    class_index: Tensor,
    *,
    views: int,
    precision: str,
    steps: int,
    step_size: float,
    regularization_weight: float,
    score_threshold: float,
) -> Tensor:
    """Return the sum over the steps of a climb of the maps (N, 2, h, w).

    The n-th of the N (image, class) pairs climbs the score of `class_index[n]` from the images
    `pairs[image_index[n]]`, which are (2, 3, H, W); as many at once as `views` views hold, but one
    at least. What else, see `climb`.
    """
    index = torch.stack([image_index, class_index])
    summed = []
    for images, classes in index.split(max(1, views // 2), dim=1):
        climbed = climb(
            model,
            pairs[images],
            classes,
            precision=precision,
            steps=steps,
            step_size=step_size,
            regularization_weight=regularization_weight,
            score_threshold=score_threshold,
        )
        summed.append(torch.stack([step.maps for step in climbed]).sum(0))
    return torch.cat(summed)


def climb(
    model: Classifier,
    pairs: Tensor,
    class_index: Tensor,
    *,
    precision: str,
    steps: int,
    step_size: float,
    regularization_weight: float,
    score_threshold: float,
) -> Iterator[Step]:
    """Yield the steps of N pairs (N, 2, 3, H, W) that climb the scores of their classes (N,).

    A step costs one forward and one backward pass to the images; nothing waits for the device. A
    pair's gradient is divided by its own largest entry, and the moved pair is clamped to its own
    range before the move, over all channels, as the official code does.
    """
    first_maps: Tensor | None = None
    for step in range(steps):
        moves = step + 1 < steps
        pairs = pairs.detach().requires_grad_(moves)
        with torch.set_grad_enabled(moves):
            scores = score_maps(model, pairs.flatten(0, 1), precision=precision).relu()
            scores = scores.unflatten(0, (-1, 2))
            maps = attribution(model, scores, class_index)
            if first_maps is None:
                first_maps = maps.detach()
        yield Step(pairs.detach(), maps.detach(), scores.detach().mean((3, 4)))
        if moves:
            climbed = objective(
                scores,
                maps,
                first_maps,
                class_index,
                regularization_weight=regularization_weight,
                score_threshold=score_threshold,
            )
            (gradient,) = torch.autograd.grad(climbed.sum(), pairs)
            pairs = _moved(pairs.detach(), gradient, step_size)


def attribution(model: Classifier, scores: Tensor, class_index: Tensor) -> Tensor:
    """Return the Grad-CAM (N, 2, h, w) of the pairs' classes from rectified scores (N, 2, C, h, w).

    The gradient of the summed rectified scores to the features is the head's weight row wherever
    the score is positive. So Grad-CAM's channel weights of one image are that row times (positive
    positions of the image) / (positive entries of the pair's gradient + 1e-12), and no backward
    pass is needed: the map is the rectified score times this factor. The factor has no gradient.

    Raises:
        ValueError: The classifier's scores are of windows.
    """
    if model.head.kernel_size != (1, 1):
        raise ValueError(
            "AdvCAM's attribution is that of scores of single positions, but this classifier "
            "scores windows: take another localizer, cam for one"
        )
    own = scores[torch.arange(len(scores), device=scores.device), :, class_index]
    positive = (own > 0).sum((2, 3)).to(scores.dtype)
    positive_weights = (model.head.weight.flatten(1) > 0).sum(1)[class_index]
    entries = positive.sum(1) * positive_weights
    return own * (positive / (entries[:, None] + TINY))[:, :, None, None]


def objective(
    scores: Tensor,
    maps: Tensor,
    first_maps: Tensor,
    class_index: Tensor,
    *,
    regularization_weight: float,
    score_threshold: float,
) -> Tensor:
    """Return the climbed objective (N,): own score, minus the others', minus held attributions.

    With p the spatial mean of the rectified scores, summed over the pair: p_c - sum of the other p
    - weight * sum over positions of |map - map of step 1| where map > score_threshold * maximum.
    The map is the pair's sum after the second one is mirrored back.
    """
    probabilities = scores.mean((3, 4)).sum(1)
    own = probabilities.gather(1, class_index[:, None])[:, 0]
    pair_map, first_map = (m[:, 0] + m[:, 1].flip(-1) for m in (maps, first_maps))
    with torch.no_grad():
        # Divided, not compared with the threshold times the maximum: a map of zeros holds nothing.
        held = pair_map / pair_map.amax((1, 2), keepdim=True) > score_threshold
    drift = ((pair_map - first_map).abs() * held).sum((1, 2))
    return 2 * own - probabilities.sum(1) - regularization_weight * drift


def _moved(pairs: Tensor, gradient: Tensor, step_size: float) -> Tensor:
    per_pair = (1, 2, 3, 4)
    largest = gradient.abs().amax(per_pair, keepdim=True)
    moved = pairs + step_size * gradient / (largest + TINY)
    return moved.clamp(pairs.amin(per_pair, keepdim=True), pairs.amax(per_pair, keepdim=True))
