"""Aeroplanes: airliner from the side or from below, or a small one with a propeller."""

import numpy as np

from wsss.data.scenes.canvas import Pen, Place
from wsss.data.scenes.colours import GLASS, mix, paint_colour, vary
from wsss.data.scenes.shapes import Frame, box, frame, oval, smooth


def draw(pen: Pen, place: Place, size: float) -> None:
    """Draw an aeroplane centred on the place; size is the nominal size of objects, pixels."""
    rng = pen.canvas.rng
    hull = vary(rng, (0.92, 0.93, 0.95), 0.03) if rng.random() < 0.6 else paint_colour(rng)
    livery = paint_colour(rng)
    kind = rng.choice(np.array([_airliner, _from_below, _propeller]), p=[0.45, 0.35, 0.2])
    half = (
        size * {_airliner: 0.46, _from_below: 0.38, _propeller: 0.38}[kind] * rng.uniform(0.9, 1.1)
    )
    facing = place.facing or int(rng.choice([-1, 1]))
    # Its nose lies at the place's front, so that a contrail begins behind the tail.
    at = frame(place.x, place.y, half, mirror=facing, angle=place.angle)
    kind(pen, at, hull, livery)


def _airliner(pen: Pen, at: Frame, hull: np.ndarray, livery: np.ndarray) -> None:
    rng = pen.canvas.rng
    thick = rng.uniform(0.125, 0.155)
    far_wing = [(0.12, 0.02), (-0.22, 0.34), (-0.36, 0.34), (-0.2, 0.0)]
    pen.fill(at(far_wing), colour=hull * 0.66)
    pen.fill(
        at([(-0.68, 0.3 * thick), (-0.98, 0.50), (-1.12, 0.50), (-1.02, 0.2 * thick)]),
        colour=livery,
        across=0.2,
    )
    outline = [
        (1.04, -0.25 * thick),
        (0.90, 0.6 * thick),
        (0.70, thick),
        (-0.6, thick),
        (-1.12, 0.75 * thick),
        (-1.1, 0.45 * thick),
        (-0.6, -0.8 * thick),
        (0.2, -thick),
        (0.8, -0.9 * thick),
    ]
    pen.fill(smooth(at(outline)), colour=hull, down=0.55)
    pen.fill(
        at([(-0.95, 0.1 * thick), (-0.95, 0.3 * thick), (0.93, 0.0), (0.93, -0.2 * thick)]),
        colour=livery,
    )
    panes = [at(oval(x, 0.36 * thick, 0.022, 0.026)) for x in np.linspace(-0.62, 0.66, 13)]
    pen.fill(*panes, colour=GLASS)
    pen.fill(
        at([(0.82, 0.3 * thick), (0.80, 0.72 * thick), (0.90, 0.55 * thick), (0.95, 0.3 * thick)]),
        colour=GLASS,
    )
    pen.fill(
        at([(-0.78, 0.1 * thick), (-1.14, -0.16), (-1.24, -0.16), (-1.02, 0.2 * thick)]),
        colour=hull * 0.75,
    )
    pen.fill(
        smooth(
            at([(0.20, -0.24), (0.18, -0.13), (-0.10, -0.14), (-0.12, -0.21), (0.0, -0.27)]),
            rounds=1,
        ),
        colour=mix(livery, hull, 0.3),
        down=0.5,
    )
    near_wing = [
        (0.24, -0.5 * thick),
        (-0.44, -0.56),
        (-0.60, -0.56),
        (-0.50, -0.50),
        (-0.24, -0.45 * thick),
    ]
    pen.fill(at(near_wing), colour=hull * 0.84, down=-0.25)


def _from_below(pen: Pen, at: Frame, hull: np.ndarray, livery: np.ndarray) -> None:
    rng = pen.canvas.rng
    thick, sweep = rng.uniform(0.10, 0.13), rng.uniform(0.35, 0.6)
    for side, shade in ((1, 0.80), (-1, 0.92)):
        wing = [
            (0.28, side * 0.8 * thick),
            (0.2 - sweep, side * 0.98),
            (0.08 - sweep, side * 1.0),
            (-0.16, side * 0.8 * thick),
        ]
        tail = [
            (-0.72, side * 0.4 * thick),
            (-0.96, side * 0.38),
            (-1.06, side * 0.38),
            (-0.98, side * 0.3 * thick),
        ]
        pen.fill(at(wing), colour=hull * shade, across=0.2)
        pen.fill(at(tail), colour=livery * shade)
        for out in (0.34,) if rng.random() < 0.7 else (0.3, 0.58):
            pen.fill(
                at(oval(0.24 - sweep * out, side * out, 0.13, 0.05)),
                colour=mix(hull, livery, 0.4) * 0.7,
            )
    outline = [
        (1.05, 0.0),
        (0.9, 0.75 * thick),
        (0.6, thick),
        (-0.6, 0.9 * thick),
        (-1.1, 0.12 * thick),
        (-1.1, -0.12 * thick),
        (-0.6, -0.9 * thick),
        (0.6, -thick),
        (0.9, -0.75 * thick),
    ]
    pen.fill(smooth(at(outline)), colour=hull, down=0.5)
    pen.fill(at([(0.86, -0.5 * thick), (0.86, 0.5 * thick), (0.94, 0.0)]), colour=GLASS)
    pen.fill(at(box(-1.14, -0.02, -0.72, 0.02)), colour=livery * 0.8)


def _propeller(pen: Pen, at: Frame, hull: np.ndarray, livery: np.ndarray) -> None:
    pen.fill(at([(-0.72, 0.1), (-0.92, 0.44), (-1.06, 0.44), (-1.02, 0.06)]), colour=livery)
    pen.fill(at([(0.30, 0.30), (-0.02, 0.50), (-0.16, 0.50), (-0.14, 0.28)]), colour=hull * 0.7)
    outline = [
        (0.86, 0.02),
        (0.78, 0.2),
        (0.3, 0.24),
        (-0.3, 0.2),
        (-1.05, 0.1),
        (-1.05, 0.02),
        (-0.3, -0.2),
        (0.5, -0.22),
        (0.8, -0.14),
    ]
    pen.fill(smooth(at(outline)), colour=hull, down=0.5)
    pen.fill(at([(-1.0, 0.03), (-1.0, 0.09), (0.84, 0.03), (0.84, -0.05)]), colour=livery)
    pen.fill(
        smooth(at([(0.40, 0.18), (0.24, 0.34), (-0.10, 0.35), (-0.40, 0.18)]), rounds=1),
        colour=np.multiply(GLASS, 2.2),
        down=0.8,
    )
    for x in (0.42, -0.02):
        pen.fill(
            at([(x - 0.02, -0.4), (x - 0.05, -0.14), (x + 0.02, -0.14), (x + 0.03, -0.4)]),
            colour=(0.3, 0.3, 0.3),
        )
        pen.fill(at(oval(x, -0.4, 0.09, 0.09)), colour=(0.1, 0.1, 0.1))
    pen.fill(
        at([(0.36, 0.02), (-0.22, -0.52), (-0.42, -0.52), (-0.14, 0.0)]),
        colour=hull * 0.85,
        down=-0.3,
    )
    pen.fill(at(oval(0.92, 0.0, 0.03, 0.40)), colour=(0.75, 0.76, 0.78))
    pen.fill(at(oval(0.9, 0.0, 0.08, 0.07)), colour=livery * 0.8)
