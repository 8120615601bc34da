"""One image's refinement as a job for a worker process."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def refine_item(
    refine: Callable[..., np.ndarray],
    options: Mapping[str, Any],
    item: tuple[str, np.ndarray, np.ndarray, np.ndarray],
) -> tuple[str, np.ndarray]:
    """Return (image id, mask) of an item (image id, image, full-size maps, class ids)."""
    image_id, image, maps, class_ids = item
    return image_id, refine(image, maps, class_ids, **options)
