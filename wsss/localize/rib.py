"""RIB: maps of a classifier that sheds its bottleneck image by image (dissertation 3.4)."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

import numpy as np
import torch
from torch import Tensor

from wsss.localize._fine_tuning import Recipe, Step
from wsss.localize._others import Others
from wsss.localize._tuned_maps import Looks, Tuning, localize_tuned
from wsss.models.classifier import Classifier


class Options(TypedDict):
    """RIB's options.

    Attributes:
        scales: Factors on the image's size; each is seen with its mirror image.
        map_stride: Pixels per map cell.
        alignment: "official" or "centres", see `cam.localize`.
        batch_size: Views of scale 1 in one pass through the network; a view of scale s counts s^2.
        precision: "full" is the model's own type; "bfloat16" lets convolutions run in bfloat16.
        steps: K of the paper.
        learning_rate: lambda, of the backbone, at its highest.
        head_multiplier: Factor on it for the head.
        momentum: Of SGD.
        weight_decay: Of SGD.
        schedule: "poly" lets the learning rates fall to zero over the steps with power 0.9
            (official), "constant" keeps them (paper).
        least_learnt_scale: Views of smaller scales are only looked at, not learnt from; those of
            the largest of the scales always are.
        other_images: Others in each step; all, where there are fewer.
        other_choice: "disjoint" draws only such as share no class with the image (official), "any"
            any others (paper).
        other_size: Side of the square in which an other image is seen: its central square, scaled.
        other_memory: MB of resting features of others that are kept for later steps and images.
        loss: Of the pooled scores. "rib" is L_RIB; "sigmoid", "tanh" and "softsign" are binary
            cross-entropy through an activation that saturates (Table 3.9 a), over all classes, see
            `losses.saturating.saturating_loss`.
        pooling: "gap", "gndrp" (paper) or "gndp" (official), see `losses.rib.pool_scores`.
        score_threshold: tau of the pooling.
        margin: m. "paper" does not raise a logit above it further by L_RIB, and is nothing to other
            losses; "official" ends the fine-tuning, with any loss, after a step in which the scores
            of the image's views that learn, summed over these and over its classes, exceed it in
            size.
        margin_form: "official" or "paper".
        explosion_threshold: See `explosion_share`.
        explosion_share: The fine-tuning ends in any step but the first where the maps of the
            image's classes at the first of the scales, each divided by its (maximum + 1e-5), are
            high: at more than this share of the positions one of them at least exceeds
            `explosion_threshold`. Of this step only that scale counts. 1 is never. The paper has no
            such end.
        accumulation: "official" sums the maps of K states, each before its move (so the last move
            is not made), "paper" K + 1, with that after the last move.
    """

    scales: Sequence[float]
    map_stride: int
    alignment: str
    batch_size: int
    precision: str
    steps: int
    learning_rate: float
    head_multiplier: float
    momentum: float
    weight_decay: float
    schedule: str
    least_learnt_scale: float
    other_images: int
    other_choice: str
    other_size: int
    other_memory: float
    loss: str
    pooling: str
    score_threshold: float
    margin: float
    margin_form: str
    explosion_threshold: float
    explosion_share: float
    accumulation: str


def localize(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    others: Others,
    **options: Unpack[Options],
) -> list[np.ndarray]:
    """Return RIB's maps of every image's own classes (dissertation 3.4.3).

    For every image, a copy of the classifier's later stages and head learns L_RIB of the image and
    of other images, drawn anew for each step; the class activation maps of all steps are summed.
    The first three of the five stages rest, as in the authors' code, so they see an image once.
    All classes of an image learn together; the result does not depend on which images share a
    batch. Other than in the authors' code, each of the others is seen in one square view, not in
    random crops, and only `steps` says when the last step is (theirs also the end of its loader).

    Args:
        model: Classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        others: The training images beside these.
        **options: See `Options`.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids or a named option do not fit, or the fine-tuning of an image
            ended in numbers that are not finite.
    """

    def maps_of(tuning: Tuning) -> list[Tensor]:
        return summed_maps(tuning.steps, tuning.class_ids)

    return localize_tuned(model, images, class_ids, others, maps_of, *parts_of(options))


def parts_of(options: Options) -> tuple[Recipe, Looks]:
    """Return the options of the fine-tuning itself, and those of what it looks at."""
    rest: dict[str, Any] = {**options}
    recipe = Recipe(**{name: rest.pop(name) for name in Recipe._fields})
    return recipe, Looks(**rest)


def summed_maps(taken: Iterable[Step], class_ids: np.ndarray) -> list[Tensor]:
    """Return for each scale the sum over steps of the pairs' maps (n, 2, h, w) of some classes."""
    return total([maps[:, class_ids].transpose(0, 1) for maps in step.maps] for step in taken)


def total(states: Iterable[list[Tensor]]) -> list[Tensor]:
    """Return for each scale the sum over states; one whose maps exploded has the first alone."""
    summed: list[Tensor] = []
    for maps in states:
        if summed:
            more = maps + [torch.zeros_like(missing) for missing in summed[len(maps) :]]
            summed = [before + of_state for before, of_state in zip(summed, more, strict=True)]
        else:
            summed = maps
    return summed
