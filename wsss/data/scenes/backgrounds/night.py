"""A town at night; no spurious cue."""

import cv2
import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.colours import vary
from wsss.data.scenes.shapes import box, oval


def draw(canvas: Canvas) -> list[Place]:
    """Draw stars, moon, lit windows, and at times lamps out of focus."""
    rng, width, height, unit = canvas.rng, canvas.width, canvas.height, canvas.unit
    top, low = vary(rng, (0.03, 0.04, 0.11), 0.02), vary(rng, (0.17, 0.14, 0.26), 0.04)
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 1.5
    canvas.image[:] = top * (1 - fall) + low * fall
    pen = canvas.pen()
    for _ in range(int(rng.integers(15, 40))):
        x, y, size = (
            rng.uniform(0, width),
            rng.uniform(0, 0.7) * height,
            unit * rng.uniform(0.002, 0.005),
        )
        pen.fill(oval(x, y, size, size), colour=(0.9, 0.9, 0.8), opacity=rng.uniform(0.3, 0.9))
    if rng.random() < 0.6:
        _moon(canvas)
    base = height * rng.uniform(0.75, 0.95)
    for share in (1.0, 0.55):
        _houses(canvas, base, share)
    canvas.image[int(base) :] = low * 0.35
    if rng.random() < 0.6:
        _lamps(canvas)
    return []


def _moon(canvas: Canvas) -> None:
    """Draw the moon with its halo."""
    rng, unit = canvas.rng, canvas.unit
    x, y = canvas.width * rng.uniform(0.15, 0.85), canvas.height * rng.uniform(0.12, 0.35)
    size = unit * rng.uniform(0.035, 0.07)
    across = (np.arange(canvas.width, dtype=np.float32) - x)[None]
    down = (np.arange(canvas.height, dtype=np.float32) - y)[:, None]
    halo = np.exp(-(across**2 + down**2) / (3 * size) ** 2)
    canvas.image += 0.25 * halo[..., None] * np.array([0.8, 0.8, 0.9], np.float32)
    canvas.pen().fill(oval(x, y, size, size), colour=(0.95, 0.94, 0.86), across=0.2)
    canvas.pen().fill(
        oval(x + 0.3 * size, y - 0.2 * size, 0.22 * size, 0.2 * size), colour=(0.82, 0.81, 0.76)
    )


def _houses(canvas: Canvas, base: float, share: float) -> None:
    """Draw one row of dark houses with lit windows; share 1 is the farther, higher row."""
    rng, unit, pen = canvas.rng, canvas.unit, canvas.pen()
    x, pace = -unit * 0.1 * rng.random(), unit * 0.036
    while x < canvas.width:
        wide, high = unit * rng.uniform(0.08, 0.2), unit * rng.uniform(0.15, 0.5) * share
        pen.fill(
            box(x, base, x + wide, base - high),
            colour=vary(rng, np.array([0.10, 0.10, 0.17], np.float32) * share, 0.015),
        )
        windows = [
            box(column, row, column + 0.45 * pace, row - 0.5 * pace)
            for column in np.arange(x + 0.6 * pace, x + wide - 0.8 * pace, pace)
            for row in np.arange(base - high + pace, base - 0.4 * pace, 1.1 * pace)
            if rng.random() < 0.45
        ]
        if windows:
            pen.fill(*windows, colour=vary(rng, (0.95, 0.78, 0.42), 0.06))
        x += wide * rng.uniform(0.95, 1.4)


def _lamps(canvas: Canvas) -> None:
    """Add discs of light, as lamps out of focus give."""
    rng = canvas.rng
    for _ in range(int(rng.integers(4, 14))):
        disc = np.zeros((canvas.height, canvas.width), np.uint8)
        centre = (int(rng.uniform(0, canvas.width)), int(rng.uniform(0.45, 1) * canvas.height))
        cv2.circle(
            disc, centre, max(1, int(canvas.unit * rng.uniform(0.015, 0.05))), 255, -1, cv2.LINE_AA
        )
        colour = np.array(
            ((1, 0.7, 0.3), (1, 0.35, 0.25), (0.5, 0.75, 1), (0.9, 0.9, 0.7))[rng.integers(4)],
            np.float32,
        )
        canvas.image += 0.45 * (disc / np.float32(255))[..., None] * colour
