"""Refiner `psa`: localization maps spread by a random walk along learnt affinities (PSA)."""

import numpy as np

from wsss.refine.affinity import neighbours
from wsss.refine.psa_labels import with_background
from wsss.refine.random_walk import spread
from wsss.refine.resampling import resize_bilinear, stride_of
from wsss.refine.seed import check_inputs, mask_of


def refine(
    image: np.ndarray,
    maps: np.ndarray,
    class_ids: np.ndarray,
    affinity: np.ndarray,
    *,
    radius: int,
    beta: float,
    exp_times: int,
    alpha: float,
    pairs: str,
) -> np.ndarray:
    """Return the pseudo-mask of an image from its localization maps and its affinities.

    The maps get the background score (1 - max) ** alpha, are averaged over the cells, walk, the
    background too, and are enlarged again; the largest wins (Ahn and Kwak 2018; the official code).

    Args:
        image: RGB (H, W, 3) uint8; only its size matters.
        maps: Localization maps (n, H, W) in 0..1; n may be 0.
        class_ids: Zero-based foreground classes (n,).
        affinity: Of each cell to its `wsss.refine.affinity.neighbours` (pairs, h, w), in 0..1; 0
            where the neighbour is outside.
        radius: Distance in cells below which two cells are neighbours.
        beta: Exponent of the affinities.
        exp_times: The walk takes 2 ** exp_times steps.
        alpha: Exponent of the background score.
        pairs: `all` neighbours, or the `official` ones: of every pair, the upper cell (the left one
            in a row) has all its neighbours inside the image. Then two cells on one side of the
            image do not meet, and on maps too small for the radius nothing walks.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1.

    Raises:
        ValueError: The inputs do not fit together, or `pairs` is unknown.
    """
    check_inputs(image, maps, class_ids)
    offsets = neighbours(radius)
    _check(affinity, offsets)
    height, width = image.shape[:2]
    stride = stride_of(affinity.shape[1:], height, width)
    if pairs == "official":
        affinity = _inner(affinity, radius - 1)
    elif pairs != "all":
        raise ValueError(f"pairs is {pairs!r}, but known are all and official")
    cells = _cell_means(with_background(maps, alpha=alpha), stride)
    walked = spread(cells, affinity, offsets, beta=beta, exp_times=exp_times)
    rows, columns = (side * stride for side in affinity.shape[1:])
    scores = resize_bilinear(walked, rows, columns)[:, :height, :width]
    return mask_of(np.argmax(scores, axis=0), class_ids)


def _inner(affinity: np.ndarray, reach: int) -> np.ndarray:
    """Return affinities (pairs, h, w) that start where all neighbours are inside; elsewhere 0."""
    _, height, width = affinity.shape
    inner = np.zeros_like(affinity)
    window = np.s_[:, : max(height - reach, 0), reach : max(width - reach, reach)]
    inner[window] = affinity[window]
    return inner


def _cell_means(scores: np.ndarray, stride: int) -> np.ndarray:
    """Return means over cells of `stride` pixels; what lies beyond the image counts as zero."""
    below, right = (-side % stride for side in scores.shape[1:])
    filled = np.pad(scores, ((0, 0), (0, below), (0, right)))
    number, height, width = filled.shape
    blocks = filled.reshape(number, height // stride, stride, width // stride, stride)
    return blocks.mean(axis=(2, 4))


def _check(affinity: np.ndarray, offsets: np.ndarray) -> None:
    if affinity.ndim != 3 or len(affinity) != len(offsets):
        raise ValueError(
            f"affinities have shape {affinity.shape}, but the radius asks for {len(offsets)} "
            "neighbours (pairs, h, w): compute them at the same radius"
        )
    if not (np.all(affinity >= 0) and np.all(affinity <= 1)):
        raise ValueError("affinities must lie in 0..1 and not be NaN: run the network again")
