"""Which images a diagnostic looks at."""

from collections.abc import Collection, Mapping

import numpy as np


def choose_images(
    labels: Mapping[str, np.ndarray],
    *,
    count: int,
    random_seed: int,
    among: Collection[str] | None,
) -> list[str]:
    """Return the ids of up to `count` images with a label, a random choice in random order.

    The choice looks at image labels and the seed alone, never at results; more images begin with
    those that fewer are.

    Args:
        labels: Zero-based classes (n,) by image id.
        count: How many at most.
        random_seed: Of the choice.
        among: Only these image ids (those that have masks, say); None for all.

    Raises:
        ValueError: There is no such image.
    """
    labelled = sorted(
        image_id
        for image_id, class_ids in labels.items()
        if len(class_ids) and (among is None or image_id in among)
    )
    if not labelled:
        raise ValueError(
            "no training image has a label and what else the diagnostic needs: prepare a data set "
            "with such images, or name another in the diagnostic's chains"
        )
    order = np.random.default_rng(random_seed).permutation(len(labelled))
    return [labelled[place] for place in order[:count]]
