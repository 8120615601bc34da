"""Refiner `cues`: a seed with unsure pixels, for a segmenter that lets it grow (DSRG)."""

import numpy as np

from wsss.refine.seed import (
    IGNORE_INDEX,
    check_inputs,
    check_order,
    label_indices,
    seed_from_maps,
)


def refine(
    image: np.ndarray,
    maps: np.ndarray,
    class_ids: np.ndarray,
    *,
    foreground_threshold: float,
    background_threshold: float,
) -> np.ndarray:
    """Return the pixels of which the maps are sure: cues of the foreground and of the background.

    A pixel is of the class of its largest map where that exceeds the high threshold, and background
    where no map exceeds the low one. DSRG (Huang et al. 2018; dissertation sec. 2.3.2) takes the
    foreground so, from class activation maps, and the background from a saliency detector: that is
    the refiner `seed` at the high threshold and `saliency` after it, which keeps the foreground.
    `wsss.refine.irn_labels` does the same, with a CRF after each threshold.

    Args:
        image: RGB (H, W, 3) uint8; only its size matters.
        maps: Localization maps (n, H, W), >= 0, scaled per class by its maximum; n may be 0.
        class_ids: Zero-based foreground classes (n,).
        foreground_threshold: Score above which a pixel is surely foreground.
        background_threshold: Score up to which it is surely background.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1, 255 unsure.

    Raises:
        ValueError: Inputs do not fit together, or the thresholds are in the wrong order.
    """
    check_inputs(image, maps, class_ids)
    check_order(
        foreground_threshold=foreground_threshold, background_threshold=background_threshold
    )
    mask = seed_from_maps(maps, class_ids, background_threshold=foreground_threshold)
    loose = label_indices(maps, background_threshold=background_threshold)
    mask[(mask == 0) & (loose > 0)] = IGNORE_INDEX
    return mask
