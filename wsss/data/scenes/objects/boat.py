"""Boats: sailing, fishing, rowing or cargo."""

import numpy as np

from wsss.data.scenes.canvas import Pen, Place
from wsss.data.scenes.colours import GLASS, mix, paint_colour, pick, vary
from wsss.data.scenes.shapes import Frame, bend, box, frame, oval, ribbon, smooth

_WOOD = (0.48, 0.33, 0.20)


def draw(pen: Pen, place: Place, size: float) -> None:
    """Draw a boat that floats at the place; size is the nominal size of objects there, pixels."""
    rng = pen.canvas.rng
    kind = rng.choice(np.array([_sailing, _fishing, _rowing, _cargo]), p=[0.4, 0.3, 0.15, 0.15])
    facing = place.facing or int(rng.choice([-1, 1]))
    length = {_sailing: 0.30, _fishing: 0.33, _rowing: 0.37, _cargo: 0.46}[kind]
    half = size * length * rng.uniform(0.9, 1.1)
    if place.surface == "water":
        _wake(pen, place, half)
    at = frame(place.x, place.y, half, mirror=facing, angle=rng.normal(0, 0.03))
    kind(pen, at, paint_colour(rng))


def _wake(pen: Pen, place: Place, half: float) -> None:
    """Darken the water under the hull and draw foam along it."""
    rng = pen.canvas.rng
    pen.shadow(
        oval(place.x, place.y + 0.14 * half, half, 0.26 * half), strength=1.2, softness=0.08 * half
    )
    water = pen.canvas.pen(spurious=True)
    for _ in range(6):
        x, y = place.x + half * rng.normal(0, 0.6), place.y + half * rng.uniform(0.02, 0.2)
        water.fill(
            oval(x, y, half * rng.uniform(0.1, 0.3), 0.02 * half),
            colour=pen.canvas.light.cloud,
            opacity=0.5,
        )


def _hull(pen: Pen, at: Frame, colour: np.ndarray, *, high: float) -> None:
    """Draw a hull with its bow at x = 1, a rail and a water line."""
    outline = [
        (-0.80, -0.03),
        (-0.95, 0.75 * high),
        (-0.98, 0.95 * high),
        (0.2, 0.9 * high),
        (1.12, 1.25 * high),
        (0.78, -0.03),
    ]
    pen.fill(at(outline), colour=colour, down=0.5)
    pen.fill(
        at(
            [
                (-0.98, 0.82 * high),
                (-0.98, 0.98 * high),
                (0.2, 0.93 * high),
                (1.13, 1.28 * high),
                (1.06, 1.08 * high),
                (0.2, 0.77 * high),
            ]
        ),
        colour=mix(colour, (1, 1, 1), 0.6),
    )
    pen.fill(
        at([(-0.80, -0.03), (-0.83, 0.16 * high), (0.83, 0.16 * high), (0.78, -0.03)]),
        colour=mix(colour * 0.4, (0.4, 0.1, 0.08), 0.5),
    )


def _sailing(pen: Pen, at: Frame, colour: np.ndarray) -> None:
    rng = pen.canvas.rng
    mast = rng.uniform(1.5, 2.1)
    cloth = vary(rng, (0.95, 0.94, 0.90), 0.02) if rng.random() < 0.6 else paint_colour(rng)
    pen.fill(at(box(0.02, 0.2, 0.07, mast)), colour=_WOOD)
    main = np.concatenate([bend((0.0, mast - 0.05), (-0.85, 0.36), sag=0.06), [[0.0, 0.36]]])
    pen.fill(at(main), colour=cloth, across=0.3, down=0.15)
    seams = [
        ribbon(
            bend((-0.01, y), (-0.85 * (1 - (y - 0.36) / (mast - 0.4)), y - 0.02), sag=0.0),
            0.015,
            0.015,
        )
        for y in np.linspace(0.6, mast - 0.4, 3)
    ]
    pen.fill(*[at(seam) for seam in seams], colour=cloth * 0.8, opacity=0.7)
    if rng.random() < 0.75:
        jib = np.concatenate([bend((0.12, mast * 0.9), (0.98, 0.32), sag=-0.04), [[0.14, 0.36]]])
        pen.fill(
            at(jib), colour=(cloth if rng.random() < 0.6 else paint_colour(rng)) * 0.93, across=0.3
        )
    pen.fill(at(box(-0.9, 0.30, 0.06, 0.35)), colour=_WOOD)
    if rng.random() < 0.5:
        pen.fill(
            at([(0.05, mast), (0.05, mast + 0.12), (-0.18, mast + 0.06)]), colour=(0.8, 0.15, 0.12)
        )
    _hull(pen, at, colour, high=0.27)


def _fishing(pen: Pen, at: Frame, colour: np.ndarray) -> None:
    rng = pen.canvas.rng
    cabin = vary(rng, (0.92, 0.91, 0.87), 0.03) if rng.random() < 0.6 else paint_colour(rng)
    start = rng.uniform(-0.75, -0.2)
    pen.fill(
        at(box(0.52, 0.3, 0.56, 1.3)),
        at(ribbon([(0.54, 1.25), (-0.5, 0.5)], 0.03, 0.02)),
        colour=_WOOD,
    )
    pen.fill(at(box(start, 0.25, start + 0.75, 0.86)), colour=cabin, across=0.3)
    pen.fill(
        at([(start - 0.06, 0.86), (start, 0.96), (start + 0.78, 0.96), (start + 0.86, 0.86)]),
        colour=colour * 0.8,
    )
    panes = [at(box(start + s, 0.55, start + s + 0.17, 0.78)) for s in (0.06, 0.29, 0.52)]
    pen.fill(*panes, colour=GLASS, down=0.6)
    if rng.random() < 0.6:
        pen.fill(
            at(box(start + 0.15, 0.96, start + 0.36, 1.3)), colour=paint_colour(rng), across=0.4
        )
    pen.fill(at(oval(0.15, 0.4, 0.1, 0.1)), colour=(0.95, 0.45, 0.12))
    _hull(pen, at, colour, high=0.42)


def _rowing(pen: Pen, at: Frame, colour: np.ndarray) -> None:
    rng = pen.canvas.rng
    seats = (-0.35, 0.3) if rng.random() < 0.6 else (0.0,)
    for seat in seats:
        shirt = paint_colour(rng)
        skin = pick(rng, [(0.85, 0.66, 0.54), (0.55, 0.38, 0.28), (0.72, 0.52, 0.40)])
        pen.fill(
            at(
                smooth(
                    [
                        (seat - 0.17, 0.15),
                        (seat - 0.15, 0.58),
                        (seat + 0.13, 0.6),
                        (seat + 0.17, 0.15),
                    ]
                )
            ),
            colour=shirt,
            across=0.4,
        )
        pen.fill(at(oval(seat, 0.70, 0.1, 0.12)), colour=skin, across=0.3)
        pen.fill(
            at(
                smooth(
                    [
                        (seat - 0.12, 0.74),
                        (seat - 0.08, 0.86),
                        (seat + 0.08, 0.86),
                        (seat + 0.12, 0.74),
                    ]
                )
            ),
            colour=(0.2, 0.15, 0.1),
        )
    pen.fill(
        at(ribbon([(seats[0] + 0.1, 0.42), (seats[0] - 0.55, -0.06)], 0.04, 0.06)), colour=_WOOD
    )
    _hull(pen, at, mix(colour, _WOOD, 0.4), high=0.26)


def _cargo(pen: Pen, at: Frame, colour: np.ndarray) -> None:
    rng = pen.canvas.rng
    for row in range(int(rng.integers(1, 4))):
        for x in np.arange(-0.38, 0.68, 0.27):
            if rng.random() < 0.85:
                low = 0.2 + 0.15 * row
                pen.fill(
                    at(box(x, low, x + 0.25, low + 0.14)), colour=paint_colour(rng) * 0.9, down=0.2
                )
    pen.fill(at(box(-0.88, 0.2, -0.48, 0.78)), colour=(0.93, 0.93, 0.90), across=0.25)
    pen.fill(at(box(-0.92, 0.66, -0.44, 0.80)), colour=(0.85, 0.86, 0.86))
    pen.fill(at(box(-0.86, 0.70, -0.46, 0.76)), colour=GLASS)
    pen.fill(at(box(-0.80, 0.80, -0.62, 1.02)), colour=colour * 0.9)
    _hull(pen, at, colour, high=0.30)
