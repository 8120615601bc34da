"""What a process of the dense CRF's row does, in a module that it imports in no time."""

import numpy as np

from wsss.refine.crf import dense_crf

CRF = {
    "iterations": 10,
    "gaussian_sxy": 1,
    "gaussian_compat": 3,
    "bilateral_sxy": 67,
    "bilateral_srgb": 3,
    "bilateral_compat": 4,
}


def refined(item: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the CRF's probabilities of an image (H, W, 3) and its own (K, H, W)."""
    return dense_crf(*item, **CRF)
