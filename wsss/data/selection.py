"""Which images a reduced data set keeps."""

from collections.abc import Mapping, Sequence

import numpy as np


def covering_order(
    labels: Mapping[str, Sequence[str]], classes: Sequence[str], *, random_seed: int
) -> list[str]:
    """Return the image ids in random order, but first one image for each class that lacks one.

    Any start of the list that is long enough thus shows every class, the rarest being served first.

    Args:
        labels: Class names by image id.
        classes: The classes to cover; one that no image shows is passed over.
        random_seed: Of the order.
    """
    image_ids = sorted(labels)
    order = np.random.default_rng(random_seed).permutation(len(image_ids))
    shuffled = [image_ids[position] for position in order]
    showing: dict[str, list[str]] = {name: [] for name in classes}
    for image_id in shuffled:
        for name in labels[image_id]:
            showing[name].append(image_id)
    first: dict[str, None] = {}
    covered: set[str] = set()
    for name in sorted(classes, key=lambda name: len(showing[name])):
        if name not in covered and showing[name]:
            first[showing[name][0]] = None
            covered.update(labels[showing[name][0]])
    return [*first, *(image_id for image_id in shuffled if image_id not in first)]
