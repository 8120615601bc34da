"""RIB: maps of a classifier that sheds its bottleneck image by image (dissertation 3.4)."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wsss.localize._fine_tuning import ACCUMULATIONS, SCHEDULES, Recipe, Rows, Step, fine_tune
from wsss.localize._halves import Halves
from wsss.localize._others import Others
from wsss.localize._views import (
    ScaleMaps,
    flatten_targets,
    inference,
    joined_maps,
    view_pairs,
    views_per_pass,
)
from wsss.losses.rib import MARGIN_FORMS, POOLINGS
from wsss.models.classifier import Classifier

CHOICES = {
    "schedule": SCHEDULES,
    "pooling": POOLINGS,
    "margin_form": MARGIN_FORMS,
    "accumulation": ACCUMULATIONS,
}


def localize(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    others: Others,
    *,
    scales: Sequence[float],
    map_stride: int,
    alignment: str,
    batch_size: int,
    precision: str,
    steps: int,
    learning_rate: float,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
    schedule: str,
    least_learnt_scale: float,
    other_images: int,
    other_size: int,
    other_memory: float,
    pooling: str,
    score_threshold: float,
    margin: float,
    margin_form: str,
    explosion_threshold: float,
    explosion_share: float,
    accumulation: str,
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
        other_size: Side of the square in which an other image is seen: its central square, scaled.
        other_memory: MB of resting features of others that are kept for later steps and images.
        pooling: "gap", "gndrp" (paper) or "gndp" (official), see `losses.rib.pool_scores`.
        score_threshold: tau of the pooling.
        margin: m. "paper" does not raise a logit above it further; "official" ends the fine-tuning
            after a step in which the scores of the image's views that learn, summed over these and
            over its classes, exceed it in size.
        margin_form: "official" or "paper".
        explosion_threshold: See `explosion_share`.
        explosion_share: The fine-tuning ends in any step but the first where the map at the first
            of the scales, added to those before and divided by its maximum, exceeds
            `explosion_threshold` at more than this share of the positions, for a class of the
            image; of this step only that scale counts. 1 is never.
        accumulation: "official" sums the maps of K states, each before its move (so the last move
            is not made), "paper" K + 1, with that after the last move.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids or a named option do not fit, or the fine-tuning of an image
            ended in numbers that are not finite.
    """
    recipe = Recipe(
        steps, learning_rate, head_multiplier, momentum, weight_decay, schedule, pooling,
        score_threshold, margin, margin_form, explosion_threshold, explosion_share, accumulation,
    )  # fmt: skip
    _check(recipe)
    flatten_targets(model, images, class_ids)
    height, width = images.shape[1:3]
    # A view of the others counts like one of the image at this scale.
    other_chunk = views_per_pass(batch_size, other_size / (height * width) ** 0.5)
    chunks = [views_per_pass(batch_size, scale) for scale in scales]
    least = min(least_learnt_scale, max(scales))
    found = []
    with inference(model):
        halves = Halves(model, precision=precision)
        for position, (image, ids) in enumerate(zip(images, class_ids, strict=True)):
            if not len(ids):
                empty = (0, -(-height // map_stride), -(-width // map_stride))
                found.append(np.zeros(empty, np.float32))
                continue
            others_of = partial(
                _rows_of_others,
                model,
                halves,
                others,
                position,
                count=other_images,
                size=other_size,
                memory=other_memory,
                chunk=other_chunk,
            )
            views = [view_pairs(model, image[None], scale)[0] for scale in scales]
            rows = [
                _rows_of_views(halves, pair, _multi_hot(model, ids), chunk, learns=scale >= least)
                for pair, chunk, scale in zip(views, chunks, scales, strict=True)
            ]
            summed = summed_maps(fine_tune(halves, rows, others_of, recipe), ids)
            joined = joined_maps(
                [
                    ScaleMaps(maps, (pair.shape[-2], pair.shape[-1]))
                    for maps, pair in zip(summed, views, strict=True)
                ],
                image_size=(height, width),
                map_stride=map_stride,
                alignment=alignment,
                backbone=model.backbone,
            )
            found.append(_finite(joined, position).float().cpu().numpy())
    return found


def summed_maps(taken: Iterable[Step], class_ids: np.ndarray) -> list[Tensor]:
    """Return for each scale the sum over steps of the pairs' maps (n, 2, h, w) of some classes."""
    summed: list[Tensor] = []
    for step in taken:
        own = [maps[:, class_ids].transpose(0, 1) for maps in step.maps]
        if summed:
            # A step whose maps exploded has those of the first scale alone.
            own += [torch.zeros_like(maps) for maps in summed[len(own) :]]
            summed = [total + maps for total, maps in zip(summed, own, strict=True)]
        else:
            summed = own
    return summed


def square_view(image: np.ndarray, side: int) -> np.ndarray:
    """Return the central square of an image (H, W, 3) uint8, scaled to (side, side, 3)."""
    height, width = image.shape[:2]
    length = min(height, width)
    top, left = (height - length) // 2, (width - length) // 2
    box = (left, top, left + length, top + length)
    view = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC, box=box)
    return np.asarray(view)


def _rows_of_views(
    halves: Halves, views: Tensor, labels: Tensor, chunk: int, *, learns: bool
) -> Rows:
    features = torch.cat([halves.resting_features(part) for part in views.split(chunk)])
    return Rows(features, labels.expand(len(views), -1), chunk, learns)


def _rows_of_others(
    model: Classifier,
    halves: Halves,
    others: Others,
    position: int,
    step: int,
    *,
    count: int,
    size: int,
    memory: float,
    chunk: int,
) -> Rows | None:
    """Return the rows of the others of a step; None without any."""
    numbers = others.draw(position, step, count)
    if not numbers:
        return None
    kept: dict[int, Tensor] = others.kept.setdefault("rib", {})
    features = {number: kept[number] for number in numbers if number in kept}
    missing = [number for number in numbers if number not in kept]
    read = [(number, square_view(image, size)) for number, image in others.read(missing)]
    for start in range(0, len(read), chunk):
        of_chunk, views = zip(*read[start : start + chunk], strict=True)
        batch = torch.from_numpy(np.stack(views).transpose(0, 3, 1, 2))
        normalized = model.normalize(batch.to(halves.device))
        features |= zip(of_chunk, halves.resting_features(normalized), strict=True)
    each = features[numbers[0]].nbytes
    for number in missing[: max(0, int(memory * 1e6 / each) - len(kept))]:
        # A copy: a part of a batch would keep all of it.
        kept[number] = features[number].clone()
    labels = torch.stack([_multi_hot(model, others.class_ids(number)) for number in numbers])
    return Rows(torch.stack([features[n] for n in numbers]), labels, chunk, learns=True)


def _multi_hot(model: Classifier, class_ids: np.ndarray) -> Tensor:
    labels = model.head.weight.new_zeros(model.head.out_channels)
    labels[torch.as_tensor(class_ids)] = 1
    return labels


def _finite(joined: Tensor, position: int) -> Tensor:
    if not joined.isfinite().all():
        raise ValueError(
            f"the fine-tuning of image {position} of the batch ended in maps that are not finite: "
            "lower learning_rate, head_multiplier, momentum or steps"
        )
    return joined


def _check(recipe: Recipe) -> None:
    for option, known in CHOICES.items():
        value = getattr(recipe, option)
        if value not in known:
            raise ValueError(f"unknown {option} {value!r}: choose one of {', '.join(known)}")
