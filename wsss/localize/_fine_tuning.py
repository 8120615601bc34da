"""The fine-tuning of RIB on one image and others (dissertation 3.4.3), step by step."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from wsss.localize._halves import Halves
from wsss.localize._views import over_maximum
from wsss.losses.rib import pool_scores, present_score, rib_loss
from wsss.losses.saturating import ACTIVATIONS, saturating_loss

SCHEDULES = ("poly", "constant")
LOSSES = ("rib", *ACTIVATIONS)
ACCUMULATIONS = ("official", "paper")
POLY_POWER = 0.9


class Recipe(NamedTuple):
    """The options of a fine-tuning, see `wsss.localize.rib.Options`."""

    steps: int
    learning_rate: float
    head_multiplier: float
    momentum: float
    weight_decay: float
    schedule: str
    loss: str
    pooling: str
    score_threshold: float
    margin: float
    margin_form: str
    explosion_threshold: float
    explosion_share: float
    accumulation: str


class Rows(NamedTuple):
    """R views of one size: resting features (R, D, h, w) and image labels (R, C).

    `chunk` of them pass at once; views that do not learn are only looked at.
    """

    features: Tensor
    image_labels: Tensor
    chunk: int
    learns: bool


class Seen(NamedTuple):
    """Of R views: rectified score maps (R, C, h, w), pooled scores (R, C), and their loss."""

    maps: Tensor
    pooled: Tensor
    loss: Tensor


class Step(NamedTuple):
    """State of one step, before the weights move.

    `maps` (R, C, h, w) are those of the image's rows, or of the first rows alone where they
    exploded. `pooled` (R, C) are of all rows that learn, the others' last (which the final look
    lacks), `own_score` is the sum of the present classes' pooled scores without the others'.
    """

    maps: list[Tensor]
    pooled: Tensor
    own_score: Tensor
    loss: Tensor


def fine_tune(
    halves: Halves,
    own: Sequence[Rows],
    others_of: Callable[[int], Rows | None],
    recipe: Recipe,
) -> Iterator[Step]:
    """Yield the steps of a fine-tuning that starts from the classifier's own weights.

    SGD on the loss summed over all rows that learn, a chunk forward and backward at a time, so that
    memory holds one of them. The last state is only looked at.

    Args:
        halves: Of the classifier; whoever looked at another image with it has to have finished.
        own: The image's views: a pair for each scale, the second mirrored.
        others_of: Gives the rows of other images for a step, counted from 0.
        recipe: The options.
    """
    halves.restart()
    optimizer = torch.optim.SGD(
        [
            {"params": halves.backbone, "lr": 1.0},
            {"params": [*halves.head.parameters()], "lr": 1.0},
        ],
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    last = recipe.steps - (recipe.accumulation == "official")
    for step in range(last + 1):
        halves.begin_step()
        seen = [_look(halves, own[0], recipe, learns=step < last and own[0].learns)]
        maps = pair_sum(seen[0].maps[:, own[0].image_labels[0] > 0])
        if step and exploded(maps, recipe.explosion_threshold, recipe.explosion_share):
            yield _state(own[:1], seen, None)
            return
        seen += [_look(halves, r, recipe, learns=step < last and r.learns) for r in own[1:]]
        rows = others_of(step) if step < last else None
        others = None if rows is None else _look(halves, rows, recipe, learns=True)
        state = _state(own, seen, others)
        yield state
        if step == last or _has_enough(state, recipe):
            return
        rate = learning_rate_at(step, recipe)
        for group, factor in zip(optimizer.param_groups, (1, recipe.head_multiplier), strict=True):
            group["lr"] = rate * factor
        halves.end_step()
        optimizer.step()


def learning_rate_at(step: int, recipe: Recipe) -> float:
    """Return the backbone's learning rate of a step: constant, or falling to zero over all."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    return float(recipe.learning_rate * (1 - step / recipe.steps) ** POLY_POWER)


def exploded(maps: Tensor, threshold: float, share: float) -> bool:
    """Return whether the maps (n, h, w) of an image's n classes are high nearly everywhere.

    That is, whether at more than `share` of the positions one of them at least, divided by its
    (maximum + 1e-5), exceeds `threshold`.
    """
    if share >= 1:
        return False
    high = (over_maximum(maps) > threshold).any(0)
    return bool(high.to(maps.dtype).mean() > share)


def pair_sum(maps: Tensor) -> Tensor:
    """Return the sum (C, h, w) of a pair's maps (2, C, h, w), the second mirrored back."""
    return maps[0] + maps[1].flip(-1)


def _look(halves: Halves, rows: Rows, recipe: Recipe, *, learns: bool) -> Seen:
    """Return what is seen of the rows, chunk by chunk; the weights' gradients grow if it learns."""
    seen = []
    for features, labels in zip(
        rows.features.split(rows.chunk), rows.image_labels.split(rows.chunk), strict=True
    ):
        with torch.set_grad_enabled(learns):
            scores = halves.score_maps(features)
            pooled = pool_scores(
                scores, labels, pooling=recipe.pooling, score_threshold=recipe.score_threshold
            )
            loss = _loss(pooled, labels, recipe)
        if learns:
            loss.backward()
        seen.append(Seen(scores.detach().relu(), pooled.detach(), loss.detach()))
    maps, pooled_scores, losses = zip(*seen, strict=True)
    return Seen(torch.cat(maps), torch.cat(pooled_scores), torch.stack(losses).sum())


def _loss(pooled: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    if recipe.loss == "rib":
        return rib_loss(pooled, labels, margin=recipe.margin, margin_form=recipe.margin_form)
    return saturating_loss(pooled, labels, activation=recipe.loss)


def _state(own: Sequence[Rows], seen: Sequence[Seen], others: Seen | None) -> Step:
    pairs = zip(own, seen, strict=True)
    learning = [(rows.image_labels, found) for rows, found in pairs if rows.learns]
    scores = [present_score(found.pooled, labels) for labels, found in learning]
    counted = [found for _, found in learning] + ([] if others is None else [others])
    zero = seen[0].loss.new_zeros(1)
    return Step(
        [found.maps for found in seen],
        torch.cat([found.pooled for found in counted]) if counted else seen[0].pooled[:0],
        torch.stack([zero[0], *scores]).sum(),
        torch.stack([zero[0], *(found.loss for found in counted)]).sum(),
    )


def _has_enough(state: Step, recipe: Recipe) -> bool:
    return recipe.margin_form == "official" and bool(state.own_score.abs() > recipe.margin)
