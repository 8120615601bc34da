"""Colours: float32 RGB triples, 0..1."""

from collections.abc import Sequence

import cv2
import numpy as np

Colour = Sequence[float] | np.ndarray

WHITE = (0.96, 0.96, 0.95)
RUBBER = (0.09, 0.09, 0.10)
STEEL = (0.62, 0.63, 0.66)
GLASS = (0.16, 0.22, 0.29)


def vary(rng: np.random.Generator, colour: Colour, amount: float) -> np.ndarray:
    """Return the colour with its brightness and, half as much, its hue changed by chance."""
    change = rng.normal(0, amount) + rng.normal(0, 0.5 * amount, 3)
    return np.clip(np.asarray(colour) + change, 0, 1).astype(np.float32)


def pick(rng: np.random.Generator, colours: Sequence[Colour], amount: float = 0.04) -> np.ndarray:
    """Return one of the colours, varied."""
    return vary(rng, colours[int(rng.integers(len(colours)))], amount)


def paint_colour(rng: np.random.Generator) -> np.ndarray:
    """Return a colour that something may be painted in: any hue, or white, grey, black."""
    if rng.random() < 0.3:
        return vary(rng, np.full(3, rng.choice([0.12, 0.5, 0.72, 0.92])), 0.04)
    hue = 360 * rng.random()
    hsv = np.array([[[hue, rng.uniform(0.45, 0.9), rng.uniform(0.4, 0.95)]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def mix(first: Colour, second: Colour, share: float) -> np.ndarray:
    """Return the first colour, with a share (0..1) of the second."""
    return ((1 - share) * np.asarray(first) + share * np.asarray(second)).astype(np.float32)
