"""Random parts of the images that a classifier is trained with (W-OoD Fig. 5)."""

import logging
from collections.abc import Sequence

import numpy as np

from wsss.data.records import ImageRecord

log = logging.getLogger(__name__)

# Keeps the draw apart from those of views and of orders, which have the random seed first, too.
_SUBSET = 2


def drawn_places(
    image_ids: Sequence[str], *, number: int | None, random_seed: int, noun: str, option: str
) -> np.ndarray:
    """Return the places of the images that a random seed draws, ascending, int64 (number,).

    Which images these are depends on the ids, the number and the seed alone, not on the order of
    the ids, and smaller numbers draw some of what larger ones do. That all of them come in the
    order given is what makes the number of all images the same as None. W-OoD (sec. 4.3.1) tells
    only that its subsets are random.

    Args:
        image_ids: Of all images, each once.
        number: How many to draw, or None for all.
        random_seed: Of the draw.
        noun: What the images are, for the log and the error.
        option: The config's key that names the number, for the error.

    Raises:
        ValueError: The number is below 1, or there are not so many images.
    """
    count = len(image_ids)
    if number is None:
        return np.arange(count)
    if not 1 <= number <= count:
        raise ValueError(
            f"{option} is {number}, but there are {count} {noun}: name 1 to {count}, or null for "
            "all of them"
        )
    log.info("%d of %d %s, drawn by random seed %d", number, count, noun, random_seed)
    by_id = np.array(sorted(range(count), key=lambda place: image_ids[place]), np.int64)
    order = np.random.default_rng([random_seed, 0, _SUBSET]).permutation(count)
    return np.sort(by_id[order[:number]])


def drawn_records(
    records: Sequence[ImageRecord], *, number: int | None, random_seed: int, noun: str, option: str
) -> list[ImageRecord]:
    """Return the records of the images that a random seed draws, in their order.

    The arguments are those of `drawn_places`.

    Raises:
        ValueError: The number is below 1, or there are not so many images.
    """
    image_ids = [record.image_id for record in records]
    places = drawn_places(
        image_ids, number=number, random_seed=random_seed, noun=noun, option=option
    )
    return [records[place] for place in places]
