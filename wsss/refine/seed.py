"""Refiner `seed`: localization maps against a constant background, nothing else."""

import numpy as np

IGNORE_INDEX = 255


def seed_from_maps(
    maps: np.ndarray, class_ids: np.ndarray, *, background_threshold: float
) -> np.ndarray:
    """Return the class of the largest map per pixel, background where none exceeds the threshold.

    Args:
        maps: Localization maps (n, H, W), >= 0, scaled per class by its maximum; n may be 0.
        class_ids: Zero-based foreground classes (n,) of the maps.
        background_threshold: Constant score of the background. A pixel whose largest map equals it
            is background; between equal maps, the first wins.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1.

    Raises:
        ValueError: Maps and classes do not fit together.
    """
    return mask_of(label_indices(maps, background_threshold=background_threshold), class_ids)


def refine(
    image: np.ndarray, maps: np.ndarray, class_ids: np.ndarray, *, background_threshold: float
) -> np.ndarray:
    """Return the seed as pseudo-mask: thresholded maps of the size of the image.

    Args:
        image: RGB (H, W, 3) uint8; only its size matters.
        maps: Localization maps (n, H, W); n may be 0.
        class_ids: Zero-based foreground classes (n,).
        background_threshold: Constant score of the background.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1.

    Raises:
        ValueError: Image, maps and classes do not fit together.
    """
    check_inputs(image, maps, class_ids)
    return seed_from_maps(maps, class_ids, background_threshold=background_threshold)


def label_indices(maps: np.ndarray, *, background_threshold: float) -> np.ndarray:
    """Return per pixel 0 for background or 1 + the row of the largest map, (H, W) uint8."""
    background = np.full((1, *maps.shape[1:]), background_threshold, maps.dtype)
    return np.argmax(np.concatenate([background, maps]), axis=0).astype(np.uint8)


def mask_of(indices: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Return the mask (H, W) uint8 of indices into (background, classes in order).

    Raises:
        ValueError: An index has no class, or a class is not in 0..253.
    """
    values = np.concatenate([[0], np.asarray(class_ids, dtype=np.int64) + 1])
    if values.min() < 0 or values.max() > 254 or np.any(values[1:] < 1):
        raise ValueError(f"class_ids are {list(class_ids)}, but a mask holds classes 0..253 only")
    if indices.size and indices.max() >= len(values):
        raise ValueError(
            f"{indices.max()} maps came with {len(values) - 1} class_ids: give one class per map"
        )
    return values[indices].astype(np.uint8)


def check_inputs(image: np.ndarray, maps: np.ndarray, class_ids: np.ndarray) -> None:
    """Check that an image, its full-size maps and their classes fit together.

    Raises:
        ValueError: They do not, or a map holds NaN.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected an RGB uint8 image (H, W, 3), got {image.dtype} {image.shape}")
    if maps.ndim != 3 or maps.shape[1:] != image.shape[:2]:
        raise ValueError(
            f"maps of shape {maps.shape} do not cover an image of {image.shape[:2]} pixels: "
            "read them at full size"
        )
    if len(maps) != len(class_ids):
        raise ValueError(f"{len(maps)} maps came with {len(class_ids)} class_ids: give one per map")
    if np.isnan(maps).any():
        raise ValueError("a localization map holds NaN: make the maps again")


def check_order(*, foreground_threshold: float, background_threshold: float) -> None:
    """Check that what is surely foreground is not surely background, too.

    Raises:
        ValueError: The thresholds are in the wrong order.
    """
    if background_threshold > foreground_threshold:
        raise ValueError(
            f"background_threshold {background_threshold} is above foreground_threshold "
            f"{foreground_threshold}: exchange them"
        )
