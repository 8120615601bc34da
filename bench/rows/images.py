"""Images on their way to a network: decoded, and as random views, by ours and by plain Pillow."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from bench.compare import Comparison
from bench.inputs import photographs
from wsss.data.images import read_image, write_jpeg
from wsss.data.transforms import (
    IGNORE_INDEX,
    MEAN_COLOUR,
    augment_for_classification,
    augment_for_segmentation,
)
from wsss.store.masks import read_mask, write_mask

IMAGES = 200
RESIZE_LONG, CROP = (320, 640), 512
SCALES, SEGMENTATION_CROP = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0), 321


class Inputs(NamedTuple):
    """Image files, their mask files, and a folder that goes when the inputs go."""

    images: list[Path]
    masks: list[Path]
    temporary: tempfile.TemporaryDirectory


def comparisons() -> list[Comparison]:
    """Return decoding, and the views of both kinds of training, in one thread."""
    what = f"{IMAGES} JPEG photographs, 375 x 500, in one thread; plain: Pillow"
    decoding = Comparison(
        name="Images, decoded",
        inputs=f"{what}. Ours checks the file as well",
        prepare=prepare,
        ours=lambda inputs: [read_image(path) for path in inputs.images],
        plain=lambda inputs: [_decoded(path) for path in inputs.images],
        difference=_levels_apart,
        tolerance=0,
        goal=1,
    )
    # Pillow rounds to whole levels between its two passes, of other rows in a part than in all.
    views = f"{what}, which resizes the whole image and cuts then, as the official code does"
    return [
        decoding,
        replace(
            decoding,
            name="Views for the classifier",
            inputs=f"{views}. Long side 320 to 640, crop 512",
            ours=_classifier_views,
            plain=_plain_classifier_views,
            tolerance=2,
        ),
        replace(
            decoding,
            name="Views for the segmenter",
            inputs=f"{views}. Scales 0.5 to 2, crop 321, with masks",
            ours=_segmenter_views,
            plain=_plain_segmenter_views,
            tolerance=2,
        ),
    ]


def prepare() -> Inputs:
    """Write the photographs, and masks of blocks, to a folder."""
    temporary = tempfile.TemporaryDirectory()
    images, masks = [], []
    rng = np.random.default_rng(0)
    for number, image in enumerate(photographs(IMAGES)):
        images.append(Path(temporary.name, f"{number:04d}.jpg"))
        masks.append(images[-1].with_suffix(".png"))
        write_jpeg(images[-1], image, quality=90)
        blocks = rng.integers(0, 21, (25, 25), dtype=np.uint8)
        write_mask(masks[-1], blocks.repeat(15, axis=0).repeat(20, axis=1))
    return Inputs(images, masks, temporary)


def _levels_apart(ours: Sequence[np.ndarray], plain: Sequence[np.ndarray]) -> float:
    pairs = zip(ours, plain, strict=True)
    return float(max(np.abs(a.astype(np.int16) - b).max() for a, b in pairs))


def _generators() -> list[np.random.Generator]:
    return [np.random.default_rng([0, number]) for number in range(IMAGES)]


def _decoded(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _classifier_views(inputs: Inputs) -> list[np.ndarray]:
    return [
        augment_for_classification(
            read_image(path), None, rng, resize_long=RESIZE_LONG, crop_size=CROP
        )[0]
        for path, rng in zip(inputs.images, _generators(), strict=True)
    ]


def _plain_classifier_views(inputs: Inputs) -> list[np.ndarray]:
    views = []
    for path, rng in zip(inputs.images, _generators(), strict=True):
        long_side, mirrored, *shares = (
            rng.integers(RESIZE_LONG[0], RESIZE_LONG[1] + 1),
            *rng.random(3),
        )
        with Image.open(path) as image:
            whole = image.convert("RGB")
        factor = int(long_side) / max(whole.size)
        array = _resized(whole, factor, Image.Resampling.BICUBIC)
        view = _cut(array, CROP, shares, MEAN_COLOUR, padded_at_random=True)
        views.append(view[:, ::-1] if mirrored < 0.5 else view)
    return views


def _segmenter_views(inputs: Inputs) -> list[np.ndarray]:
    pairs = [
        augment_for_segmentation(
            read_image(path), read_mask(mask), rng, scales=SCALES, crop_size=SEGMENTATION_CROP
        )
        for path, mask, rng in zip(inputs.images, inputs.masks, _generators(), strict=True)
    ]
    return [part for pair in pairs for part in pair]


def _plain_segmenter_views(inputs: Inputs) -> list[np.ndarray]:
    views = []
    for path, mask_path, rng in zip(inputs.images, inputs.masks, _generators(), strict=True):
        chosen, mirrored, *shares = rng.integers(len(SCALES)), *rng.random(3)
        with Image.open(path) as image, Image.open(mask_path) as mask:
            parts: list[tuple[Any, Any, Any]] = [
                (image.convert("RGB"), Image.Resampling.BICUBIC, MEAN_COLOUR),
                (mask.copy(), Image.Resampling.NEAREST, IGNORE_INDEX),
            ]
        for whole, how, filling in parts:
            array = _resized(whole, SCALES[int(chosen)], how)
            view = _cut(array, SEGMENTATION_CROP, shares, filling, padded_at_random=False)
            views.append(view[:, ::-1] if mirrored < 0.5 else view)
    return views


def _resized(image: Image.Image, factor: float, how: Image.Resampling) -> np.ndarray:
    width, height = (max(1, round(side * factor)) for side in image.size)
    return np.asarray(image.resize((width, height), how))


def _cut(
    array: np.ndarray, size: int, shares: Sequence[float], filling: Any, *, padded_at_random: bool
) -> np.ndarray:
    """Return a square of an array: a part where the array is longer, filled up where shorter."""
    view = np.full((size, size, *array.shape[2:]), filling, np.uint8)
    into, out_of = [], []
    for length, share in zip(array.shape[:2], shares, strict=True):
        offset = int(share * (abs(length - size) + 1))
        longer = length > size
        start = 0 if longer or not padded_at_random else offset
        into.append(slice(start, start + min(length, size)))
        out_of.append(slice(offset if longer else 0, (offset if longer else 0) + min(length, size)))
    view[tuple(into)] = array[tuple(out_of)]
    return view
