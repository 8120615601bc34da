"""Random parts of the images that a classifier is trained with (W-OoD Fig. 5)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsss.data.records import ImageRecord

log = logging.getLogger(__name__)

# What the numbers of a classifier's config count.
NOUNS = {"training_images": "training images", "ood_images": "selected OoD images"}
# Keeps the draw apart from those of views and of orders, which have the random seed first, too.
_SUBSET = 2


@dataclass(frozen=True)
class Draw:
    """The draw of a classifier's images.

    Which images these are depends on their ids, the number and the random seed alone, not on the
    order of the ids, and smaller numbers draw some of what larger ones do. That all of them come
    in the order given is what makes the number of all images the same as None. W-OoD (sec. 4.3.1)
    tells only that its subsets are random.

    Args:
        dataset: For the log and errors.
        classifier: In the config, for the log and errors.
        random_seed: Of the training.
    """

    dataset: str
    classifier: str
    random_seed: int

    def places(self, image_ids: Sequence[str], *, number: int | None, key: str) -> np.ndarray:
        """Return the places of the images that are drawn, ascending, int64 (number,).

        Args:
            image_ids: Of all images, each once.
            number: How many to draw, or None for all.
            key: The classifier's key that names the number, one of `NOUNS`.

        Raises:
            ValueError: The number is below 1, or there are not so many images.
        """
        count, noun = len(image_ids), f"{NOUNS[key]} of {self.dataset}"
        if number is None:
            return np.arange(count)
        if not 1 <= number <= count:
            raise ValueError(
                f"config.classifiers.{self.classifier}.{key} is {number}, but there are {count} "
                f"{noun}: name 1 to {count}, or null for all of them"
            )
        log.info("%d of %d %s, drawn by random seed %d", number, count, noun, self.random_seed)
        by_id = np.array(sorted(range(count), key=lambda place: image_ids[place]), np.int64)
        order = np.random.default_rng([self.random_seed, 0, _SUBSET]).permutation(count)
        return np.sort(by_id[order[:number]])

    def records(
        self, records: Sequence[ImageRecord], *, number: int | None, key: str
    ) -> list[ImageRecord]:
        """Return the records of the images that are drawn, in their order.

        The arguments and errors are those of `places`. Classes of which no image is left are
        named in a warning.
        """
        image_ids = [record.image_id for record in records]
        drawn = [records[place] for place in self.places(image_ids, number=number, key=key)]
        if lost := sorted(_classes(records) - _classes(drawn)):
            log.warning(
                "none of the %d %s of %s that config.classifiers.%s.%s draws shows %s: the "
                "classifier learns only that they are absent",
                len(drawn), NOUNS[key], self.dataset, self.classifier, key, ", ".join(lost),
            )  # fmt: skip
        return drawn


def _classes(records: Sequence[ImageRecord]) -> set[str]:
    return {name for record in records for name in record.labels}
