"""Bottles: wine, beer, carafe, squeezed plastic."""

import numpy as np

from wsss.data.scenes.canvas import Pen, Place
from wsss.data.scenes.colours import mix, paint_colour, pick
from wsss.data.scenes.shapes import box, frame, oval, smooth

_GLASSES = (
    (0.14, 0.34, 0.16),
    (0.42, 0.23, 0.09),
    (0.62, 0.76, 0.80),
    (0.16, 0.28, 0.52),
    (0.84, 0.84, 0.82),
    (0.70, 0.18, 0.16),
)
# (half width of the neck, start of the shoulder, start of the neck, its end), in half widths.
_FORMS = (
    (0.34, 3.2, 4.3, 5.9),
    (0.36, 2.5, 3.7, 5.2),
    (0.30, 1.9, 3.1, 4.6),
    (0.42, 3.6, 4.4, 4.9),
)


def draw(pen: Pen, place: Place, size: float) -> None:
    """Draw a bottle that stands on the place; size is the nominal size of objects there, pixels."""
    rng = pen.canvas.rng
    neck, shoulder, throat, mouth = np.array(_FORMS[rng.integers(len(_FORMS))]) * rng.uniform(
        0.92, 1.08, 4
    )
    half = 0.126 * size * rng.uniform(0.9, 1.1) * (5.2 / mouth) ** 0.6
    at = frame(place.x, place.y, half)
    glass = pick(rng, _GLASSES, 0.05)
    side = pen.canvas.light.sun_side
    cast = [(-0.8, 0), (-side * 3.4, 0.8), (-side * 3.6, 1.3), (0.8, 0.3)]
    pen.shadow(at(cast), oval(place.x, place.y, 1.3 * half, 0.3 * half), softness=0.25 * half)
    right = [
        (0.92, 0.0),
        (1.0, 0.2),
        (1.0, shoulder),
        (0.8, shoulder + 0.5 * (throat - shoulder)),
        (neck, throat),
        (neck, mouth),
    ]
    outline = [*[(-x, y) for x, y in right], *reversed(right)]
    pen.fill(at(outline), colour=glass, across=0.55)
    pen.fill(at(oval(0, 0.05, 0.92, 0.2)), colour=glass * 0.8)
    if rng.random() < 0.5:
        level = rng.uniform(0.5, 1.0) * shoulder
        pen.fill(at(box(-0.9, 0.1, 0.9, level)), colour=glass * 0.7, opacity=0.7)
    pen.fill(
        at(
            [
                (side * 0.5, 0.3),
                (side * 0.55, shoulder),
                (side * 0.78, shoulder),
                (side * 0.72, 0.3),
            ]
        ),
        colour=mix(glass, (1, 1, 1), 0.6),
        opacity=0.75,
    )
    pen.fill(
        at(box(side * 0.08, throat, side * neck * 0.7, mouth - 0.1)),
        colour=mix(glass, (1, 1, 1), 0.6),
        opacity=0.6,
    )
    if rng.random() < 0.8:
        _label(
            pen,
            at(box(-1.0, 0.28 * shoulder, 1.0, 0.8 * shoulder)),
            at(box(-0.55, 0.48 * shoulder, 0.55, 0.6 * shoulder)),
        )
    cap = paint_colour(rng)
    pen.fill(at(box(-1.2 * neck, mouth - 0.25, 1.2 * neck, mouth + 0.25)), colour=cap, across=0.6)
    pen.fill(at(oval(0, mouth + 0.25, 1.2 * neck, 0.09)), colour=mix(cap, (1, 1, 1), 0.3))


def _label(pen: Pen, outline: np.ndarray, stripe: np.ndarray) -> None:
    """Draw a label with a stripe or an emblem on it."""
    rng = pen.canvas.rng
    paper = pick(
        rng,
        [
            (0.94, 0.92, 0.84),
            (0.88, 0.84, 0.70),
            (0.20, 0.20, 0.22),
            (0.80, 0.22, 0.18),
            (0.22, 0.42, 0.62),
        ],
    )
    ink = paint_colour(rng)
    pen.fill(outline, colour=paper, across=0.5)
    if rng.random() < 0.5:
        pen.fill(stripe, colour=ink)
    else:
        centre, half = stripe.mean(axis=0), 0.4 * np.ptp(stripe[:, 0])
        pen.fill(smooth(oval(centre[0], centre[1], half, half), rounds=1), colour=ink)
