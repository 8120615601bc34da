"""Things that lie on a table and belong to no class; x, y is where they stand, pixels."""

import numpy as np

from wsss.data.scenes.canvas import Pen
from wsss.data.scenes.colours import paint_colour, pick, vary
from wsss.data.scenes.shapes import box, oval, smooth


def _foot(pen: Pen, x: float, y: float, half: float) -> None:
    """Darken the table under a thing."""
    pen.shadow(
        oval(x - 0.3 * half * pen.canvas.light.sun_side, y, 1.2 * half, 0.3 * half),
        softness=0.2 * half,
    )


def bowl(pen: Pen, x: float, y: float) -> None:
    """Draw a bowl."""
    size, colour = (
        pen.canvas.unit * pen.canvas.rng.uniform(0.07, 0.13),
        paint_colour(pen.canvas.rng),
    )
    _foot(pen, x, y, size)
    body = [
        (x - size, y - 0.6 * size),
        (x - 0.5 * size, y),
        (x + 0.5 * size, y),
        (x + size, y - 0.6 * size),
    ]
    pen.fill(smooth([body[0], *body, body[-1]]), colour=colour, across=0.4, down=0.3)
    pen.fill(oval(x, y - 0.58 * size, 0.93 * size, 0.22 * size), colour=colour * 0.55)


def books(pen: Pen, x: float, y: float) -> None:
    """Draw a few books that lie on each other."""
    rng, unit = pen.canvas.rng, pen.canvas.unit
    _foot(pen, x, y, 0.12 * unit)
    for _ in range(int(rng.integers(1, 4))):
        half, thick, shift = (
            unit * rng.uniform(0.09, 0.14),
            unit * rng.uniform(0.025, 0.045),
            unit * rng.normal(0, 0.01),
        )
        pen.fill(
            box(x - half + shift, y, x + half + shift, y - thick),
            colour=paint_colour(rng),
            down=0.3,
        )
        pen.fill(
            box(x + 0.6 * half + shift, y - 0.2 * thick, x + 0.7 * half + shift, y - thick),
            colour=(0.9, 0.85, 0.7),
        )
        y -= thick


def fruit(pen: Pen, x: float, y: float) -> None:
    """Draw up to three fruits in a row."""
    rng, unit = pen.canvas.rng, pen.canvas.unit
    colour = pick(
        rng, [(0.82, 0.16, 0.12), (0.95, 0.60, 0.12), (0.60, 0.72, 0.18), (0.92, 0.82, 0.25)]
    )
    for _ in range(int(rng.integers(1, 4))):
        size = unit * rng.uniform(0.035, 0.055)
        _foot(pen, x, y, size)
        pen.fill(oval(x, y - size, size, 0.95 * size), colour=colour, down=0.5, across=0.4)
        pen.fill(
            oval(
                x + 0.3 * size * pen.canvas.light.sun_side, y - 1.4 * size, 0.22 * size, 0.18 * size
            ),
            colour=(1, 1, 1),
            opacity=0.5,
        )
        x += 1.8 * size


def plant(pen: Pen, x: float, y: float) -> None:
    """Draw a plant in its pot."""
    rng, unit = pen.canvas.rng, pen.canvas.unit
    size, green = unit * rng.uniform(0.05, 0.08), vary(rng, (0.24, 0.44, 0.2), 0.05)
    _foot(pen, x, y, size)
    for _ in range(9):
        turn = rng.uniform(0.2, np.pi - 0.2)
        tip = (x + 1.9 * size * np.cos(turn), y - 1.3 * size - 1.6 * size * np.sin(turn))
        middle = (x + 1.1 * size * np.cos(turn), y - 1.6 * size - 0.7 * size * np.sin(turn))
        pen.fill(
            smooth(
                [
                    (x - 0.15 * size, y - 1.1 * size),
                    middle,
                    tip,
                    (middle[0] + 0.3 * size, middle[1] + 0.25 * size),
                ]
            ),
            colour=green * rng.uniform(0.7, 1.4),
        )
    pot = [
        (x - 0.6 * size, y),
        (x - 0.8 * size, y - 1.2 * size),
        (x + 0.8 * size, y - 1.2 * size),
        (x + 0.6 * size, y),
    ]
    pen.fill(
        pot,
        colour=pick(rng, [(0.72, 0.40, 0.28), (0.85, 0.84, 0.80), (0.30, 0.34, 0.40)]),
        across=0.4,
    )
