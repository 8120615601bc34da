"""Masks of other classes, or of another order, than those that are looked for."""

from collections.abc import Sequence

import numpy as np

from wsss.store.masks import IGNORE_INDEX


def class_values(mask_classes: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return our value of each value in the masks, (256,) uint8.

    Args:
        mask_classes: Classes in the order of the values in the masks.
        classes: Those that are looked for, in the order of our values; all others become
            background, 255 stays.

    Raises:
        ValueError: A class is not among those of the masks.
    """
    if missing := [name for name in classes if name not in mask_classes]:
        raise ValueError(
            f"mask_classes ({', '.join(mask_classes)}) lack {', '.join(missing)}: name every class "
            "that the masks were drawn for, in the order of their values"
        )
    values = np.zeros(256, dtype=np.uint8)
    values[IGNORE_INDEX] = IGNORE_INDEX
    for number, name in enumerate(classes, start=1):
        values[mask_classes.index(name) + 1] = number
    return values
