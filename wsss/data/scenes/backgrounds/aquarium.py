"""Under water, with fish; no spurious cue."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Pen, Place
from wsss.data.scenes.colours import mix, paint_colour, vary
from wsss.data.scenes.shapes import bend, frame, oval, ribbon, smooth
from wsss.data.scenes.textures import ground_noise


def draw(canvas: Canvas) -> list[Place]:
    """Draw light from above, sand, weed, bubbles and fish."""
    rng, width, height, unit = canvas.rng, canvas.width, canvas.height, canvas.unit
    top, low = vary(rng, (0.16, 0.52, 0.72), 0.05), vary(rng, (0.02, 0.14, 0.36), 0.04)
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.7
    canvas.image[:] = top * (1 - fall) + low * fall
    pen = canvas.pen()
    for x in rng.uniform(-0.2, 1, 4) * width:
        ray = [(x, -2), (x + 0.07 * unit, -2), (x + 0.4 * unit, height), (x + 0.2 * unit, height)]
        pen.fill(ray, colour=(0.7, 0.9, 0.95), opacity=0.1)
    sand = int(height * rng.uniform(0.82, 0.95))
    grain = ground_noise(rng, (height - sand, width), grain=40)
    canvas.image[sand:] = mix((0.75, 0.68, 0.5), low, 0.35) * (1 + 0.1 * grain[..., None])
    for x in rng.uniform(0, width, int(rng.integers(2, 8))):
        _weed(pen, x, height, unit * rng.uniform(0.15, 0.5))
    for _ in range(int(rng.integers(2, 8))):
        _fish(pen, width * rng.uniform(0.08, 0.92), height * rng.uniform(0.1, 0.85))
    for _ in range(int(rng.integers(0, 12))):
        size = unit * rng.uniform(0.006, 0.016)
        pen.fill(
            oval(rng.uniform(0, width), rng.uniform(0, height), size, size),
            colour=(0.8, 0.93, 0.98),
            opacity=0.5,
        )
    return []


def _weed(pen: Pen, x: float, y: float, high: float) -> None:
    rng = pen.canvas.rng
    stem = bend((x, y), (x + 0.3 * high * rng.normal(), y - high), sag=rng.uniform(-0.12, 0.12))
    pen.fill(
        ribbon(stem, 0.09 * high, 0.02 * high), colour=vary(rng, (0.14, 0.38, 0.24), 0.06), down=0.5
    )


def _fish(pen: Pen, x: float, y: float) -> None:
    rng = pen.canvas.rng
    size, colour = pen.canvas.unit * rng.uniform(0.05, 0.12), paint_colour(rng)
    at = frame(x, y, size, mirror=int(rng.choice([-1, 1])), angle=rng.normal(0, 0.15))
    high = rng.uniform(0.35, 0.6)
    pen.fill(
        smooth(at([(-0.7, 0), (-1.5, 0.5), (-1.3, 0), (-1.5, -0.5)]), rounds=1),
        colour=colour * 0.75,
    )
    pen.fill(
        smooth(at([(-0.4, 0.6 * high), (0.1, 1.7 * high), (0.4, 0.7 * high)]), rounds=1),
        colour=colour * 0.8,
    )
    pen.fill(
        smooth(at([(-1, 0), (-0.4, high), (0.5, high), (1.1, 0), (0.5, -high), (-0.4, -high)])),
        colour=colour,
        down=0.6,
    )
    if rng.random() < 0.6:
        stripes = [at(oval(s, 0, 0.09, 0.6 * high)) for s in (-0.35, 0.1, 0.45)]
        pen.fill(*stripes, colour=paint_colour(rng), opacity=0.7)
    pen.fill(at(oval(0.72, 0.12, 0.1, 0.1)), colour=(1, 1, 1))
    pen.fill(at(oval(0.75, 0.12, 0.05, 0.06)), colour=(0, 0, 0))
