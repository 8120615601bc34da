"""Refiner `irn`: localization maps spread by a random walk that boundaries hold back (IRN)."""

import numpy as np

from wsss.refine.irn_labels import labels_from_walk
from wsss.refine.random_walk import random_walk
from wsss.refine.resampling import resize_bilinear, stride_of


def refine(
    image: np.ndarray,
    maps: np.ndarray,
    class_ids: np.ndarray,
    edge: np.ndarray,
    *,
    radius: int,
    beta: float,
    exp_times: int,
    map_exponent: float,
    background_threshold: float,
) -> np.ndarray:
    """Return the pseudo-mask of an image from its localization maps and its boundary map.

    Args:
        image: RGB (H, W, 3) uint8; only its size matters.
        maps: Localization maps (n, h', w'), >= 0, at any resolution, each cell covering its equal
            share of the image; n may be 0. Maps of a map_stride of 4 need no resize.
        class_ids: Zero-based foreground classes (n,).
        edge: Boundary probabilities (h, w) in 0..1.
        radius: Distance in cells below which two cells are neighbours.
        beta: Exponent of the affinities.
        exp_times: The walk takes 2 ** exp_times steps.
        map_exponent: Exponent of the maps before the walk.
        background_threshold: Background score, as a share of the largest score of the image.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1.

    Raises:
        ValueError: The boundary map is not one of this image, or maps and classes differ in number.
    """
    if len(maps) != len(class_ids):
        raise ValueError(f"{len(maps)} maps came with {len(class_ids)} class_ids: give one per map")
    height, width = image.shape[:2]
    if maps.shape[1:] != edge.shape:
        maps = resize_bilinear(maps, *edge.shape)
    walked = random_walk(
        maps, edge, radius=radius, beta=beta, exp_times=exp_times, map_exponent=map_exponent
    )
    return labels_from_walk(
        walked,
        class_ids,
        stride=stride_of(edge.shape, height, width),
        image_size=(height, width),
        background_threshold=background_threshold,
    )
