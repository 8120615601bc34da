"""Confident labels that train AffinityNet, and the background score that they start from (PSA)."""

from typing import Unpack

import numpy as np

from wsss.refine.crf import Crf, dense_crfs
from wsss.refine.seed import IGNORE_INDEX, check_inputs, mask_of


def with_background(maps: np.ndarray, *, alpha: float) -> np.ndarray:
    """Return the scores of background and classes: (1 - max) ** alpha before the maps themselves.

    The larger alpha, the less is background (Ahn and Kwak 2018; the official code).

    Args:
        maps: Localization maps (n, H, W) in 0..1; n may be 0, which is all background.
        alpha: Exponent of the background score.

    Returns:
        Float32 scores (1 + n, H, W) in 0..1, which need not sum to one.
    """
    rest = 1 - maps.max(axis=0, initial=0.0)
    background = np.maximum(rest, 0).astype(np.float32) ** np.float32(alpha)
    return np.concatenate([background[None], maps.astype(np.float32, copy=False)])


def confident_labels(
    image: np.ndarray,
    maps: np.ndarray,
    class_ids: np.ndarray,
    *,
    low_alpha: float,
    high_alpha: float,
    **crf: Unpack[Crf],
) -> np.ndarray:
    """Return a mask of the pixels that are surely foreground or surely background.

    The maps get a background score at two alphas, and both are refined by the CRF, on soft scores.
    Where the high alpha still shows background, it counts; of the rest, the class that the low
    alpha shows in spite of its larger background; elsewhere the pixel is unknown.

    Alphas in use (low / high, and that of the walk): official code 4 / 32, 16; CVPR submission
    4 / 24, 16; SEAM 4 / 24; HFPL with SEAM 1 / 24.

    Args:
        image: RGB (H, W, 3) uint8.
        maps: Localization maps (n, H, W) in 0..1, scaled per class by its maximum; n may be 0.
        class_ids: Zero-based foreground classes (n,).
        low_alpha: Exponent of the background score against which foreground is sure.
        high_alpha: Exponent of the one in which background is sure.
        **crf: See `wsss.refine.crf.Crf`.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1, 255 unknown.

    Raises:
        ValueError: Inputs do not fit together, or the alphas are in the wrong order.
    """
    check_inputs(image, maps, class_ids)
    if low_alpha > high_alpha:
        raise ValueError(f"low_alpha {low_alpha} is above high_alpha {high_alpha}: exchange them")
    refined = dense_crfs(
        image,
        [with_background(maps, alpha=alpha) for alpha in (low_alpha, high_alpha)],
        **crf,
    )
    low, high = (np.argmax(probs, axis=0).astype(np.uint8) for probs in refined)
    mask = mask_of(low, class_ids)
    mask[low == 0] = IGNORE_INDEX
    mask[high == 0] = 0
    return mask
