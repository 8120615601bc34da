"""Erasure of class-relevant regions from images that may hold a foreground object."""

import numpy as np

FILLS = ("mean", "grey")
GREY = 128


def erase_regions(
    image: np.ndarray, map_full: np.ndarray, *, threshold: float, fill: str
) -> np.ndarray:
    """Return the image with the regions that a localization map marks painted over.

    Removing what the classifier takes for the object makes unpruned hard images safer as
    out-of-distribution ones (dissertation sec. 4.5, which gives neither threshold nor fill).

    Args:
        image: uint8 (H, W, 3), not changed.
        map_full: (H, W) in 0..1, at image size; the maximum over classes if there are several.
        threshold: map values at or above it are erased, 0..1.
        fill: "mean" paints with the image's mean colour, "grey" with 128 in every channel.

    Raises:
        ValueError: if the shapes differ, the map leaves 0..1, or an option is unknown.
    """
    if image.ndim != 3 or image.shape[:2] != map_full.shape:
        raise ValueError(
            f"image of shape {image.shape} and map of shape {map_full.shape} differ: "
            "hand over the map at image size"
        )
    # Written so that NaN, which compares false, counts as bad.
    if not ((map_full >= 0) & (map_full <= 1)).all():
        raise ValueError("the map to erase by has values outside 0..1: divide it by its maximum")
    if not 0 <= threshold <= 1:
        raise ValueError(f"erasure threshold {threshold} is not in 0..1")
    if fill not in FILLS:
        raise ValueError(f"unknown fill {fill!r}: choose one of {', '.join(FILLS)}")
    erased = image.copy()
    colour = np.rint(image.mean(axis=(0, 1))) if fill == "mean" else np.full(3, GREY)
    erased[map_full >= threshold] = colour.astype(np.uint8)
    return erased
