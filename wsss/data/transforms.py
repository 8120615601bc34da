"""Random views of an image for training."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from PIL import Image

MEAN_COLOUR = (124, 116, 104)
"""Mean RGB of ImageNet, rounded: zero after normalization, but for a fraction of a grey level."""
IGNORE_INDEX = 255


def augment_for_classification(
    image: np.ndarray,
    saliency: np.ndarray | None,
    rng: np.random.Generator,
    *,
    resize_long: tuple[int, int],
    crop_size: int,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a random view of an image and of its saliency map, (S, S, 3) and (S, S) uint8.

    The long side is drawn uniformly from `resize_long`, the image resized (bicubic) and mirrored
    with probability 0.5. Where a side exceeds the view, a random part is taken; where it falls
    short, the image lands at a random place on the mean colour (AdvCAM 5.1; the training of IRN).
    The authors' code never draws the upper bound, and pads with zeros after normalization.

    The saliency map goes the same way, bicubic too and clipped to its range, and is 0 outside of
    the image, as in the official code of EPS. The image's view does not depend on it.

    Args:
        image: (H, W, 3) uint8 RGB.
        saliency: (H, W) uint8, or None, which gives None back.
        rng: Always asked for the same number of draws.
        resize_long: Smallest and largest long side in pixels, both included.
        crop_size: Side of the view in pixels.

    Raises:
        ValueError: The range is empty, a size is below 1, or image and saliency differ in size.
    """
    if saliency is not None and saliency.shape != image.shape[:2]:
        raise ValueError(
            f"saliency map {saliency.shape} and image {image.shape[:2]} differ in size; make the "
            "saliency map again"
        )
    low, high = resize_long
    if not 1 <= low <= high or crop_size < 1:
        raise ValueError(
            f"resize_long {tuple(resize_long)} and crop_size {crop_size} must be positive, the "
            "smaller long side first"
        )
    long_side, mirrored, *shares = rng.integers(low, high + 1), *rng.random(3)
    shape = _scaled(image.shape, int(long_side) / max(image.shape[:2]))
    spans = [_Span.of(shape[axis], crop_size, shares[axis]) for axis in (0, 1)]
    view = _mean_canvas(crop_size).copy()
    view[spans[0].into, spans[1].into] = _resize(image, spans, Image.Resampling.BICUBIC)
    step = -1 if mirrored < 0.5 else 1
    if saliency is None:
        return view[:, ::step], None
    salient = np.zeros((crop_size, crop_size), dtype=np.uint8)
    salient[spans[0].into, spans[1].into] = _resize(saliency, spans, Image.Resampling.BICUBIC)
    return view[:, ::step], salient[:, ::step]


def augment_for_segmentation(
    image: np.ndarray,
    mask: np.ndarray,
    rng: np.random.Generator,
    *,
    scales: tuple[float, ...],
    crop_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random view of an image and its mask, (S, S, 3) and (S, S) uint8, S = crop_size.

    One of `scales` is drawn, image (bicubic) and mask (nearest) are resized by it, padded below and
    to the right where they fall short, with the mean colour and 255, cropped at a random
    place, and mirrored with probability 0.5 (DeepLab-v2; deeplab-pytorch resizes bilinearly).

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, 255 ignored.
        rng: Always asked for the same number of draws.
        scales: Factors to choose from, all equally likely.
        crop_size: Side of the view in pixels.

    Raises:
        ValueError: Mask and image differ in size, there is no scale or one is not positive, or the
            crop size is below 1.
    """
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f"mask {mask.shape} and image {image.shape[:2]} differ in size; make the mask again"
        )
    if not scales or min(scales) <= 0 or crop_size < 1:
        raise ValueError(f"scales {scales} and crop_size {crop_size} must be positive")
    chosen, mirrored, *shares = rng.integers(len(scales)), *rng.random(3)
    shape = _scaled(image.shape, scales[int(chosen)])
    spans = [
        _Span.of(shape[axis], crop_size, shares[axis] if shape[axis] > crop_size else 0.0)
        for axis in (0, 1)
    ]
    view = _mean_canvas(crop_size).copy()
    view[spans[0].into, spans[1].into] = _resize(image, spans, Image.Resampling.BICUBIC)
    view_mask = np.full((crop_size, crop_size), IGNORE_INDEX, dtype=np.uint8)
    view_mask[spans[0].into, spans[1].into] = _resize(mask, spans, Image.Resampling.NEAREST)
    return (view[:, ::-1], view_mask[:, ::-1]) if mirrored < 0.5 else (view, view_mask)


@lru_cache(maxsize=8)
def _mean_canvas(size: int) -> np.ndarray:
    return np.full((size, size, 3), MEAN_COLOUR, dtype=np.uint8)


def _scaled(shape: tuple[int, ...], factor: float) -> tuple[int, int]:
    """Return height and width times a factor, at least one pixel."""
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


@dataclass(frozen=True)
class _Span:
    """What a view shows along one axis: pixels `first` to `first + size` of the resized `length`.

    They land at `into` of the view.
    """

    length: int
    first: int
    size: int
    into: slice

    @classmethod
    def of(cls, length: int, crop_size: int, share: float) -> Self:
        """Return the span at `share`, in [0, 1), of the possible offsets.

        A long image is cut at the offset, a short one is placed at it.
        """
        offset = int(share * (abs(length - crop_size) + 1))
        if length > crop_size:
            return cls(length, offset, crop_size, slice(0, crop_size))
        return cls(length, 0, length, slice(offset, offset + length))


def _resize(array: np.ndarray, spans: list[_Span], how: Image.Resampling) -> np.ndarray:
    """Return the spans of the resized array; only these pixels are computed.

    They equal those of the whole, resized, but for rounding between PIL's two passes (2 levels).
    """
    rows, columns = spans
    height, width = array.shape[:2]
    if (rows.length, columns.length) == (height, width):
        return array[rows.first :, columns.first :][: rows.size, : columns.size]
    y, x = height / rows.length, width / columns.length
    box = (
        columns.first * x,
        rows.first * y,
        min(width, (columns.first + columns.size) * x),
        min(height, (rows.first + rows.size) * y),
    )
    return np.asarray(Image.fromarray(array).resize((columns.size, rows.size), how, box))
