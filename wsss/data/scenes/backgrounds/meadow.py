"""A meadow or field under the sky; no spurious cue."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.colours import paint_colour
from wsss.data.scenes.scenery import ground, sky, skyline
from wsss.data.scenes.shapes import box, oval


def draw(canvas: Canvas) -> list[Place]:
    """Draw the meadow, at times with flowers or a fence."""
    rng, width, height = canvas.rng, canvas.width, canvas.height
    horizon = height * rng.uniform(0.15, 0.5)
    sky(canvas, horizon + 2)
    skyline(canvas, horizon)
    kind = ground(canvas, horizon)
    if kind == "grass" and rng.random() < 0.6:
        _flowers(canvas, horizon)
    if rng.random() < 0.3:
        _fence(canvas, horizon + 0.08 * height)
    near = rng.uniform(0.4, 0.9, 4)
    return [
        Place(width * rng.uniform(0.2, 0.8), horizon + (height - horizon) * n, 0.7 + 0.4 * n)
        for n in near
    ]


def _flowers(canvas: Canvas, horizon: float) -> None:
    """Strew flowers over the grass, smaller towards the horizon."""
    rng = canvas.rng
    for _ in range(2):
        near = rng.random(int(rng.integers(10, 50))) ** 0.7
        x, y = rng.uniform(0, canvas.width, len(near)), horizon + (canvas.height - horizon) * near
        dots = [
            oval(a, b, canvas.unit * 0.014 * n, canvas.unit * 0.010 * n)
            for a, b, n in zip(x, y, near, strict=True)
        ]
        canvas.pen().fill(*dots, colour=paint_colour(rng))


def _fence(canvas: Canvas, y: float) -> None:
    """Draw a wooden fence from side to side."""
    rng, unit, pen = canvas.rng, canvas.unit, canvas.pen()
    high, pace = unit * rng.uniform(0.08, 0.13), unit * rng.uniform(0.1, 0.16)
    posts = [
        box(x, y, x + 0.02 * unit, y - high)
        for x in np.arange(rng.uniform(-pace, 0), canvas.width, pace)
    ]
    rails = [
        box(-5, y - share * high, canvas.width + 5, y - share * high - 0.014 * unit)
        for share in (0.35, 0.7)
    ]
    pen.fill(
        *rails,
        *posts,
        colour=rng.choice(np.array([(0.50, 0.40, 0.30), (0.85, 0.84, 0.80)], np.float32)),
        grain=0.06,
    )
