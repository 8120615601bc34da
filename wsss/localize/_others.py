"""Other training images, for a method whose `localize` has an argument `others`."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np


class Others(Protocol):
    """The training images beside those of one batch, by number; `wsss.data.others` is such."""

    @property
    def kept(self) -> dict[str, Any]:
        """What a method keeps from one batch to the next, of one classifier and its options."""

    def draw(self, position: int, step: int, count: int, *, disjoint: bool) -> list[int]:
        """Return `count` different others of the batch's `position`-th image, or all of fewer.

        With `disjoint`, only such as share no class with it. Neither the batch nor a shard has a
        say in it.
        """

    def class_ids(self, number: int) -> np.ndarray:
        """Return the zero-based classes (n,) of an image."""

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number, image (H, W, 3) uint8 RGB), in any order."""
