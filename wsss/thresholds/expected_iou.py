"""The threshold whose seeds have the highest expected IoU if maps are taken at their word.

Read as the probability that a pixel belongs to an object, a map tells by itself how well each of
its seeds should do. Unlike Otsu's threshold it needs maps whose values can be read so.
"""

import numpy as np

from wsss.thresholds.choice import Tails


def criterion(tails: Tails) -> np.ndarray:
    """Return the mean of the expected IoU of foreground and of background at each threshold.

    With p the value of a cell, the seed's expected intersection with the object is the sum of p
    over the seed, and the expected union all of p and the seed's rest, 1 - p; for the background
    the same with 1 - p. The ratio of expectations stands for the expectation of the ratio, as it
    does in data-set-level mIoU.

    Args:
        tails: Of one image, whose values are not all equal.

    Returns:
        Float64 (T,) in 0..1.
    """
    foreground = tails.above_sum / (tails.total + tails.above - tails.above_sum)
    below = tails.count - tails.above
    right = below - (tails.total - tails.above_sum)
    background = right / (tails.count - tails.above_sum)
    return (foreground + background) / 2
