"""Otsu's threshold (1979): the one that parts the map's values into the two most distinct groups.

A map of an object is high on it and low elsewhere. If that is so, its values fall into two groups,
and the threshold between them explains most of their variance.
"""

import numpy as np

from wsss.thresholds.choice import Tails


def criterion(tails: Tails) -> np.ndarray:
    """Return the share of the values' variance that lies between the groups of a threshold.

    It is Otsu's separability eta, the variance of the two groups' means over that of all values:
    0 where one group is empty, 1 where both groups have one value each. Otsu maximises it on one
    image; here its mean over images counts, so that an image with strong contrast weighs no more
    than another.

    Args:
        tails: Of one image, whose values are not all equal.

    Returns:
        Float64 (T,) in 0..1.
    """
    below = tails.count - tails.above
    excess = tails.above_sum - tails.above * tails.total / tails.count
    between = np.zeros_like(excess)
    both = (tails.above > 0) & (below > 0)
    between[both] = excess[both] ** 2 / (tails.above[both] * below[both]) * tails.count
    return between / tails.scatter
