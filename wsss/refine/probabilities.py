"""Labels of class probabilities, as they are and after a dense CRF."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsss.refine.crf import dense_crf


def labels_of_item(
    crf: Mapping[str, Any], item: tuple[str, np.ndarray, np.ndarray]
) -> tuple[str, np.ndarray, np.ndarray]:
    """Return (image id, arg-max mask, arg-max mask after the CRF), both (H, W) uint8.

    Args:
        crf: Options of `dense_crf`.
        item: (image id, image uint8 (H, W, 3), probabilities (K, H, W) with background first).
    """
    image_id, image, probs = item
    refined = dense_crf(image, probs, **crf)
    return image_id, probs.argmax(0).astype(np.uint8), refined.argmax(0).astype(np.uint8)
