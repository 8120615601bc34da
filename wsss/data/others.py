"""The training images beside those of a batch, for methods that look at others, too."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from wsss.data.index import ImageRecord
from wsss.data.loading import full_image_batches

# The key of the images of each class among what is kept.
NUMBERS = "numbers of the images of a class"


@dataclass(frozen=True)
class OtherImages:
    """Images to draw from, and which of them are the batch.

    What is drawn for an image depends on its id, the step and the random seed, so neither on its
    batch nor on its shard.

    Attributes:
        records: The images, the same in every shard.
        labels: Gives the zero-based classes (n,) of a record.
        random_seed: Of the draws.
        own: Numbers of the batch's images among the records, see `beside`.
        kept: What is kept from one batch to the next: whatever who draws wants to, of one network,
            and the images of each class.
    """

    records: Sequence[ImageRecord]
    labels: Callable[[ImageRecord], np.ndarray]
    random_seed: int
    own: tuple[int, ...] = ()
    kept: dict[str, Any] = field(default_factory=dict)

    def beside(self, batch: Sequence[ImageRecord]) -> "OtherImages":
        """Return the others of a batch; what is kept is shared.

        Raises:
            ValueError: An image of the batch is not among the records.
        """
        wanted = {record.image_id for record in batch}
        found = {r.image_id: n for n, r in enumerate(self.records) if r.image_id in wanted}
        if missing := sorted(wanted - set(found)):
            raise ValueError(
                f"image {missing[0]} is not among the {len(self.records)} images that others are "
                "drawn from: draw from the split that it belongs to"
            )
        return replace(self, own=tuple(found[record.image_id] for record in batch))

    def draw(self, position: int, step: int, count: int, *, disjoint: bool) -> list[int]:
        """Return the numbers of `count` images, all different, but not the batch's `position`-th.

        Fewer where there are not so many; with `disjoint` only such as share no class with it.
        """
        own = self.own[position]
        key = zlib.crc32(self.records[own].image_id.encode())
        generator = np.random.default_rng([self.random_seed, key, step])
        beside = self._beside(own, disjoint=disjoint)
        return generator.choice(beside, size=min(count, len(beside)), replace=False).tolist()

    def _beside(self, own: int, *, disjoint: bool) -> np.ndarray:
        beside = np.ones(len(self.records), bool)
        beside[own] = False
        for class_id in self.class_ids(own).tolist() if disjoint else []:
            beside[self._numbers_of(class_id)] = False
        return np.flatnonzero(beside)

    def _numbers_of(self, class_id: int) -> list[int]:
        if NUMBERS not in self.kept:
            found: dict[int, list[int]] = {}
            for number in range(len(self.records)):
                for known in self.class_ids(number).tolist():
                    found.setdefault(known, []).append(number)
            self.kept[NUMBERS] = found
        numbers: list[int] = self.kept[NUMBERS][class_id]
        return numbers

    def class_ids(self, number: int) -> np.ndarray:
        """Return the zero-based classes (n,) of an image."""
        return self.labels(self.records[number])

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number, image (H, W, 3) uint8 RGB), in any order, read ahead by a thread.

        Raises:
            ValueError: A file cannot be read, or is not as large as the index says.
        """
        number_of = {self.records[number].image_id: number for number in numbers}
        records = [self.records[number] for number in numbers]
        for batch, images in full_image_batches(records, batch_size=1):
            yield number_of[batch[0].image_id], images[0]
