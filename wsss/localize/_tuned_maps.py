"""Maps of classifiers that are fine-tuned on one image and others each (dissertation 3.4.3)."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wsss.localize._fine_tuning import (
    ACCUMULATIONS,
    LOSSES,
    SCHEDULES,
    Recipe,
    Rows,
    Step,
    fine_tune,
)
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

OTHER_CHOICES = ("disjoint", "any")
CHOICES = {
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "pooling": POOLINGS,
    "margin_form": MARGIN_FORMS,
    "accumulation": ACCUMULATIONS,
    "other_choice": OTHER_CHOICES,
}


class Looks(NamedTuple):
    """The options of what a fine-tuning looks at, see `wsss.localize.rib.localize`."""

    scales: Sequence[float]
    map_stride: int
    alignment: str
    batch_size: int
    precision: str
    least_learnt_scale: float
    other_images: int
    other_choice: str
    other_size: int
    other_memory: float


class Tuning(NamedTuple):
    """The fine-tuning of one image: its steps, still to be taken, and what they look at.

    `pairs` are the image's views (2, 3, h, w) of each scale; between two steps `halves.tuned` is
    the classifier in the state of the step before, from the last step on in that of the last.
    """

    steps: Iterator[Step]
    halves: Halves
    pairs: list[Tensor]
    class_ids: np.ndarray


def localize_tuned(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    others: Others,
    maps_of: Callable[[Tuning], list[Tensor]],
    recipe: Recipe,
    looks: Looks,
) -> list[np.ndarray]:
    """Return per image the maps (n, ceil(H / map_stride), ceil(W / map_stride)), float32 in 0..1.

    Args:
        model: Classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        others: The training images beside these.
        maps_of: Takes the steps of an image; gives each scale's maps (n, 2, h, w) >= 0 of the
            image's classes, the second of a pair mirrored.
        recipe: Options of the fine-tuning.
        looks: Options of what it looks at.

    Raises:
        ValueError: Images, class ids or a named option do not fit, or the fine-tuning of an image
            ended in numbers that are not finite.
    """
    _check(recipe._asdict() | looks._asdict())
    flatten_targets(model, images, class_ids)
    height, width = images.shape[1:3]
    found = []
    with inference(model):
        halves = Halves(model, precision=looks.precision)
        for position, (image, ids) in enumerate(zip(images, class_ids, strict=True)):
            if not len(ids):
                empty = (0, -(-height // looks.map_stride), -(-width // looks.map_stride))
                found.append(np.zeros(empty, np.float32))
                continue
            pairs = [view_pairs(halves.tuned, image[None], scale)[0] for scale in looks.scales]
            rows = _own_rows(halves, pairs, ids, looks)
            others_of = partial(
                _rows_of_others, halves, others, position, looks=looks, image_size=(height, width)
            )
            steps = fine_tune(halves, rows, others_of, recipe)
            maps = maps_of(Tuning(steps, halves, pairs, np.asarray(ids)))
            joined = joined_maps(
                [
                    ScaleMaps(scale_maps, (pair.shape[-2], pair.shape[-1]))
                    for scale_maps, pair in zip(maps, pairs, strict=True)
                ],
                image_size=(height, width),
                map_stride=looks.map_stride,
                alignment=looks.alignment,
                backbone=model.backbone,
            )
            found.append(_finite(joined, position).float().cpu().numpy())
    return found


def square_view(image: np.ndarray, side: int) -> np.ndarray:
    """Return the central square of an image (H, W, 3) uint8, scaled to (side, side, 3)."""
    height, width = image.shape[:2]
    length = min(height, width)
    top, left = (height - length) // 2, (width - length) // 2
    box = (left, top, left + length, top + length)
    view = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC, box=box)
    return np.asarray(view)


def _own_rows(
    halves: Halves, pairs: Sequence[Tensor], class_ids: np.ndarray, looks: Looks
) -> list[Rows]:
    least = min(looks.least_learnt_scale, max(looks.scales))
    labels = _multi_hot(halves, class_ids)
    rows = []
    for scale, pair in zip(looks.scales, pairs, strict=True):
        chunk = views_per_pass(looks.batch_size, scale)
        features = torch.cat([halves.resting_features(part) for part in pair.split(chunk)])
        rows.append(Rows(features, labels.expand(len(pair), -1), chunk, scale >= least))
    return rows


def _rows_of_others(
    halves: Halves,
    others: Others,
    position: int,
    step: int,
    *,
    looks: Looks,
    image_size: tuple[int, int],
) -> Rows | None:
    """Return the rows of the others of a step; None without any."""
    disjoint = looks.other_choice == "disjoint"
    numbers = others.draw(position, step, looks.other_images, disjoint=disjoint)
    if not numbers:
        return None
    size = looks.other_size
    # A view of the others counts like one of the image at this scale.
    chunk = views_per_pass(looks.batch_size, size / (image_size[0] * image_size[1]) ** 0.5)
    kept: dict[int, Tensor] = others.kept.setdefault("rib", {})
    features = {number: kept[number] for number in numbers if number in kept}
    missing = [number for number in numbers if number not in kept]
    read = [(number, square_view(image, size)) for number, image in others.read(missing)]
    for start in range(0, len(read), chunk):
        of_chunk, views = zip(*read[start : start + chunk], strict=True)
        batch = torch.from_numpy(np.stack(views).transpose(0, 3, 1, 2))
        normalized = halves.tuned.normalize(batch.to(halves.device))
        features |= zip(of_chunk, halves.resting_features(normalized), strict=True)
    each = features[numbers[0]].nbytes
    for number in missing[: max(0, int(looks.other_memory * 1e6 / each) - len(kept))]:
        # A copy: a part of a batch would keep all of it.
        kept[number] = features[number].clone()
    labels = torch.stack([_multi_hot(halves, others.class_ids(number)) for number in numbers])
    return Rows(torch.stack([features[n] for n in numbers]), labels, chunk, learns=True)


def _multi_hot(halves: Halves, class_ids: np.ndarray) -> Tensor:
    weight = halves.tuned.head.weight
    labels = weight.new_zeros(len(weight))
    labels[torch.as_tensor(class_ids)] = 1
    return labels


def _finite(joined: Tensor, position: int) -> Tensor:
    if not joined.isfinite().all():
        raise ValueError(
            f"the fine-tuning of image {position} of the batch ended in maps that are not finite: "
            "lower learning_rate, head_multiplier, momentum or steps"
        )
    return joined


def _check(options: dict[str, object]) -> None:
    for option, known in CHOICES.items():
        value = options[option]
        if value not in known:
            raise ValueError(f"unknown {option} {value!r}: choose one of {', '.join(known)}")
