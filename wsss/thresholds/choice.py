"""A background threshold for all images of a data set, chosen without ground truth.

Every way scores the thresholds on one image after the other by a criterion of its own; the
threshold with the highest mean score is chosen. One pass over the maps serves all ways, and an
image leaves a few numbers per threshold, whatever its size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

# Finer steps than hundredths change no mIoU that is worth telling, and these read well.
THRESHOLDS = tuple(step / 100 for step in range(100))


@dataclass(frozen=True)
class Tails:
    """What of an image's values lies above each of T thresholds, beside all of them.

    The values are the highest map of every cell. `above` (T,) counts those strictly above each
    threshold and `above_sum` (T,) adds them up, both float64; `count` and `total` are the number
    and the sum of all, `scatter` the sum of their squared deviations from the mean.
    """

    above: np.ndarray
    above_sum: np.ndarray
    count: int
    total: float
    scatter: float


Criterion = Callable[[Tails], np.ndarray]


def tails_of(values: np.ndarray) -> Tails:
    """Return the tails of an image's values at `THRESHOLDS`.

    Args:
        values: Highest localization map of every cell, any shape; compared as float32, as seeds
            are.
    """
    single = values.astype(np.float32, copy=False).ravel()
    exceeded = np.searchsorted(np.asarray(THRESHOLDS, np.float32), single, side="left")
    double = single.astype(np.float64)
    bins = len(THRESHOLDS) + 1
    counts = np.bincount(exceeded, minlength=bins)
    sums = np.bincount(exceeded, double, minlength=bins)
    return Tails(
        # A value that exceeds k thresholds lies above the first k of them.
        above=counts[::-1].cumsum()[::-1][1:].astype(np.float64),
        above_sum=sums[::-1].cumsum()[::-1][1:],
        count=single.size,
        total=float(double.sum()),
        scatter=float(np.square(double - double.mean()).sum()),
    )


class ThresholdChoice:
    """Mean scores of the thresholds over images, by one or several ways.

    Every image counts equally, whatever its size. Images without a map, or whose highest map is
    the same everywhere, tell nothing of a threshold and are left out.

    Attributes:
        num_images: Images that counted.
    """

    def __init__(self, criteria: Mapping[str, Criterion]) -> None:
        """Start without images.

        Args:
            criteria: Name of each way -> its criterion, which scores an image's `Tails`.
        """
        self.num_images = 0
        self._criteria = dict(criteria)
        self._sums = {name: np.zeros(len(THRESHOLDS)) for name in criteria}

    def update(self, maps: np.ndarray) -> None:
        """Add the localization maps (n, h, w) of one image, in 0..1; n may be 0.

        The cells count as equal shares of the image, so maps at the network's stride will do.

        Raises:
            ValueError: A value lies outside of 0..1.
        """
        if maps.size == 0:
            return
        if not (maps.min() >= 0 and maps.max() <= 1):
            raise ValueError(
                f"a localization map reaches from {maps.min()} to {maps.max()}, but thresholds are "
                "shares of a class's maximum: divide each map by it, so that it lies in 0..1"
            )
        values = maps.max(axis=0)
        if values.min() == values.max():
            return
        tails = tails_of(values)
        for name, criterion in self._criteria.items():
            self._sums[name] += criterion(tails)
        self.num_images += 1

    def curve(self, name: str) -> np.ndarray:
        """Return the mean score of a way at each of `THRESHOLDS`; NaN where no image counted."""
        if self.num_images == 0:
            return np.full(len(THRESHOLDS), np.nan)
        return self._sums[name] / self.num_images

    def best(self, name: str) -> float | None:
        """Return the threshold of the highest mean score, the lowest of equals.

        None where no image counted: maps without any contrast, of a classifier that collapsed,
        leave nothing to choose by.
        """
        if self.num_images == 0:
            return None
        return THRESHOLDS[int(np.argmax(self.curve(name)))]
