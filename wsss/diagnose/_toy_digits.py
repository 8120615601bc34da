"""Toy images of two digits, of which some hold a mark that goes with their digit as well."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import zoom

SIDE = 28
DIGITS = (2, 8)
BACKGROUND, DIGIT, MARK = 0, 1, 2
# A share of full ink above which a pixel is the digit's.
INK = 0.25
MARK_SIDE = 6
TRAINED_SHARE = 0.7
_OFFSETS = np.indices((MARK_SIDE, MARK_SIDE)) - (MARK_SIDE - 1) / 2
# A circle stands by the first digit, a square by the second.
MARKS = ((_OFFSETS**2).sum(0) <= (MARK_SIDE / 2) ** 2, np.ones((MARK_SIDE, MARK_SIDE), bool))


class ToyImages(NamedTuple):
    """Images (N, 1, S, S) in 0..1, multi-hot labels (N, 2), and regions (N, S, S) of the pixels."""

    pixels: torch.Tensor
    labels: torch.Tensor
    regions: np.ndarray


def toy_images(count: int, *, marked_fraction: float, trained: bool, random_seed: int) -> ToyImages:
    """Return toy images, half of them of each digit (dissertation 3.4.2 and Fig. 3.11).

    A handwritten digit stands at a random place of an empty image, and a mark that it does not
    touch at another: a circle by a 2, a square by an 8. The digits are scikit-learn's (8 x 8
    pixels, enlarged twice), which come with an installed package, not MNIST's.

    Args:
        count: How many, digits in turn.
        marked_fraction: Probability that an image has its mark (0.1 in the dissertation).
        trained: From the digits to train on, or from the others.
        random_seed: Of the choice of digits, and of all places.
    """
    # Here and not above: the import costs seconds, which the engine's start need not pay.
    from sklearn.datasets import load_digits

    known = load_digits()
    rng = np.random.default_rng([random_seed, int(trained)])
    pixels = np.zeros((count, SIDE, SIDE), np.float32)
    regions = np.zeros((count, SIDE, SIDE), np.uint8)
    for place in range(count):
        which = place % len(DIGITS)
        own = np.flatnonzero(known.target == DIGITS[which])
        border = int(TRAINED_SHARE * len(own))
        number = rng.choice(own[:border] if trained else own[border:])
        # Along a straight line between neighbours; a border row repeats.
        digit = zoom(known.images[number] / 16, 2, order=1, mode="nearest", grid_mode=True)
        _put(rng, pixels[place], regions[place], digit, digit > INK, DIGIT)
        if rng.random() < marked_fraction:
            shape = MARKS[which]
            _put(rng, pixels[place], regions[place], shape.astype(np.float32), shape, MARK)
    labels = F.one_hot(torch.arange(count) % len(DIGITS), len(DIGITS))
    return ToyImages(torch.from_numpy(pixels)[:, None], labels.float(), regions)


def _put(
    rng: np.random.Generator,
    pixels: np.ndarray,
    regions: np.ndarray,
    patch: np.ndarray,
    shape: np.ndarray,
    region: int,
) -> None:
    """Draw a patch at a random place where nothing is, and name the pixels of its shape."""
    side = len(patch)
    while True:
        top, left = rng.integers(0, SIDE - side + 1, 2)
        here = (slice(top, top + side), slice(left, left + side))
        if not regions[here].any():
            break
    pixels[here] = np.maximum(pixels[here], patch)
    regions[here][shape] = region
