"""Small things that belong to no class and may stand in front of anything."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Pen
from wsss.data.scenes.colours import paint_colour, pick, vary
from wsss.data.scenes.shapes import box, oval, smooth

_IN_THE_AIR = frozenset({"contrail_sky"})
_ON_WATER = frozenset({"water"})
_NONE = frozenset({"branches", "interior", "flowers", "aquarium", "pattern"})


def add_clutter(canvas: Canvas, background: str, count: int) -> None:
    """Draw up to `count` small things that suit the background."""
    rng, pen = canvas.rng, canvas.pen()
    if background in _NONE:
        return
    if background in _IN_THE_AIR:
        count = (count + 1) // 2
    for _ in range(count):
        x = canvas.width * rng.uniform(0.02, 0.98)
        y = canvas.height * rng.uniform(0.66, 0.98)
        size = canvas.unit * rng.uniform(0.03, 0.06) * (0.5 + y / canvas.height)
        if background in _IN_THE_AIR:
            _balloon(pen, x, canvas.height * rng.uniform(0.1, 0.8), size)
        elif background in _ON_WATER:
            _buoy(pen, x, y, 0.7 * size)
        else:
            draw = (_bush, _rock, _sign, _crate, _barrel)[rng.integers(5)]
            pen.shadow(
                oval(x - 0.5 * size * canvas.light.sun_side, y, 1.4 * size, 0.35 * size),
                softness=0.3 * size,
            )
            draw(pen, x, y, size)


def _bush(pen: Pen, x: float, y: float, size: float) -> None:
    rng = pen.canvas.rng
    green = pick(rng, [(0.22, 0.40, 0.15), (0.34, 0.44, 0.18), (0.20, 0.34, 0.24)])
    for shade in (0.7, 1.0, 1.3):
        spots = rng.normal(0, 0.5, (4, 2)) * size + [0, 0.3 * (1 - shade) * size]
        blobs = [oval(x + a, y - 0.8 * size + 0.6 * b, 0.7 * size, 0.6 * size) for a, b in spots]
        pen.fill(
            *blobs, colour=green * shade, down=0.5, grain=0.1, opacity=1 if shade < 1.2 else 0.6
        )


def _rock(pen: Pen, x: float, y: float, size: float) -> None:
    rng = pen.canvas.rng
    outline = [(-1, 0), (-0.9, -0.6), (-0.2, -1), (0.6, -0.8), (1, -0.1), (0.8, 0.15), (-0.7, 0.15)]
    points = (np.array(outline) * rng.uniform(0.8, 1.2, (7, 2))) * size + [x, y]
    pen.fill(
        smooth(points, rounds=1),
        colour=vary(rng, (0.52, 0.50, 0.47), 0.07),
        down=0.5,
        across=0.3,
        grain=0.06,
    )


def _sign(pen: Pen, x: float, y: float, size: float) -> None:
    rng = pen.canvas.rng
    pen.fill(box(x - 0.08 * size, y, x + 0.08 * size, y - 2.4 * size), colour=(0.5, 0.5, 0.52))
    colour = pick(
        rng, [(0.80, 0.14, 0.12), (0.15, 0.35, 0.70), (0.95, 0.78, 0.15), (0.92, 0.92, 0.90)]
    )
    if rng.random() < 0.5:
        pen.fill(oval(x, y - 2.7 * size, 0.62 * size, 0.62 * size), colour=colour)
        pen.fill(oval(x, y - 2.7 * size, 0.4 * size, 0.4 * size), colour=(0.95, 0.95, 0.93))
    else:
        pen.fill(
            [
                (x - 0.7 * size, y - 2.1 * size),
                (x, y - 3.3 * size),
                (x + 0.7 * size, y - 2.1 * size),
            ],
            colour=colour,
        )


def _crate(pen: Pen, x: float, y: float, size: float) -> None:
    rng = pen.canvas.rng
    colour = pick(rng, [(0.62, 0.46, 0.28), (0.50, 0.36, 0.24), (0.36, 0.42, 0.46)])
    pen.fill(box(x - size, y, x + size, y - 1.4 * size), colour=colour, across=0.25, grain=0.05)
    planks = [
        box(x - size, y - s * size, x + size, y - (s + 0.08) * size) for s in (0.05, 0.45, 0.9, 1.3)
    ]
    pen.fill(*planks, colour=colour * 0.65)


def _barrel(pen: Pen, x: float, y: float, size: float) -> None:
    colour = pick(
        pen.canvas.rng,
        [(0.20, 0.36, 0.52), (0.62, 0.32, 0.16), (0.36, 0.40, 0.34), (0.70, 0.62, 0.2)],
    )
    pen.fill(box(x - 0.7 * size, y, x + 0.7 * size, y - 1.7 * size), colour=colour, across=0.7)
    pen.fill(oval(x, y - 1.7 * size, 0.7 * size, 0.22 * size), colour=colour * 0.7)
    hoops = [
        box(x - 0.72 * size, y - s * size, x + 0.72 * size, y - (s + 0.1) * size)
        for s in (0.5, 1.1)
    ]
    pen.fill(*hoops, colour=colour * 0.6)


def _buoy(pen: Pen, x: float, y: float, size: float) -> None:
    rng = pen.canvas.rng
    colour = pick(rng, [(0.88, 0.22, 0.12), (0.95, 0.75, 0.15), (0.20, 0.55, 0.30)])
    pen.shadow(oval(x, y + 0.3 * size, size, 0.4 * size), softness=0.2 * size)
    cone = [
        (x - 0.8 * size, y),
        (x - 0.25 * size, y - 1.6 * size),
        (x + 0.25 * size, y - 1.6 * size),
        (x + 0.8 * size, y),
    ]
    pen.fill(cone, oval(x, y, 0.8 * size, 0.25 * size), colour=colour, across=0.6)
    pen.fill(
        box(x - 0.5 * size, y - 0.6 * size, x + 0.5 * size, y - 0.9 * size),
        colour=(0.93, 0.92, 0.88),
        across=0.5,
    )
    pen.fill(oval(x, y - 1.75 * size, 0.2 * size, 0.2 * size), colour=(0.95, 0.85, 0.4))


def _balloon(pen: Pen, x: float, y: float, size: float) -> None:
    rng = pen.canvas.rng
    first, second = paint_colour(rng), paint_colour(rng)
    body = smooth(
        [
            (x - size, y - size),
            (x - 0.8 * size, y + 0.1 * size),
            (x - 0.15 * size, y + 1.1 * size),
            (x + 0.15 * size, y + 1.1 * size),
            (x + 0.8 * size, y + 0.1 * size),
            (x + size, y - size),
            (x, y - 1.6 * size),
        ]
    )
    pen.fill(body, colour=first, across=0.6)
    gores = [
        oval(x + s * size, y - 0.35 * size, 0.11 * size, 0.85 * size) for s in (-0.45, 0, 0.45)
    ]
    pen.fill(*gores, colour=second, across=0.6)
    pen.fill(
        box(x - 0.14 * size, y + 1.65 * size, x + 0.14 * size, y + 1.4 * size),
        colour=(0.45, 0.32, 0.2),
    )
