"""Flowers seen from close by; no spurious cue."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Pen, Place
from wsss.data.scenes.colours import pick, vary
from wsss.data.scenes.scenery import blurred_leaves
from wsss.data.scenes.shapes import bend, frame, oval, ribbon, smooth

_PETALS = (
    (0.94, 0.92, 0.90),
    (0.93, 0.48, 0.62),
    (0.88, 0.20, 0.22),
    (0.96, 0.78, 0.20),
    (0.58, 0.42, 0.82),
    (0.96, 0.58, 0.25),
)


def draw(canvas: Canvas) -> list[Place]:
    """Draw blossoms on stems over foliage out of focus."""
    rng = canvas.rng
    green = vary(rng, (0.22, 0.38, 0.16), 0.05)
    blurred_leaves(canvas, [green * 0.7, green * 1.3 + 0.05])
    petal = pick(rng, _PETALS)
    pen = canvas.pen()
    for _ in range(int(rng.integers(5, 13))):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0.1, 1) * canvas.height
        _flower(pen, x, y, canvas.unit * rng.uniform(0.035, 0.085), petal, green)
    return []


def _flower(
    pen: Pen, x: float, y: float, size: float, petal: np.ndarray, green: np.ndarray
) -> None:
    """Draw one blossom on its stem, with a leaf."""
    rng = pen.canvas.rng
    foot = (x + size * rng.normal(0, 1), y + 6 * size)
    pen.fill(ribbon(bend((x, y), foot, sag=0.08), 0.2 * size, 0.28 * size), colour=green * 0.9)
    leaf = frame(x, y + 2.5 * size, size, mirror=int(rng.choice([-1, 1])), angle=0.6)
    pen.fill(smooth(leaf([(0, 0), (0.8, 0.4), (1.8, 0), (0.8, -0.4)])), colour=green * 1.25)
    count = int(rng.integers(5, 9))
    for ring, shade in ((1.0, 0.85), (0.72, 1.08)):
        turns = np.arange(count) * 2 * np.pi / count + rng.random()
        petals = [
            oval(
                x + 0.75 * ring * size * np.cos(a),
                y + 0.75 * ring * size * np.sin(a),
                0.62 * ring * size,
                1.5 * ring * size / count,
                angle=a,
            )
            for a in turns
        ]
        pen.fill(*petals, colour=petal * shade * rng.uniform(0.92, 1.05), down=0.2)
    pen.fill(oval(x, y, 0.34 * size, 0.34 * size), colour=(0.80, 0.58, 0.14), down=0.4)
