"""A room with a table; no spurious cue."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.colours import mix, paint_colour, pick
from wsss.data.scenes.shapes import box, oval, smooth
from wsss.data.scenes.tableware import books, bowl, fruit, plant
from wsss.data.scenes.textures import cloud_noise, ground_noise

_WOODS = (
    (0.52, 0.35, 0.20),
    (0.72, 0.58, 0.42),
    (0.32, 0.21, 0.15),
    (0.86, 0.84, 0.80),
    (0.55, 0.50, 0.46),
)
_WALLS = (
    (0.86, 0.82, 0.74),
    (0.62, 0.70, 0.70),
    (0.74, 0.62, 0.54),
    (0.50, 0.56, 0.46),
    (0.60, 0.58, 0.68),
)


def draw(canvas: Canvas) -> list[Place]:
    """Draw wall, what hangs on it, a table and what lies there; things stand on the table."""
    rng, width, height = canvas.rng, canvas.width, canvas.height
    edge = height * rng.uniform(0.55, 0.78)
    _wall(canvas)
    for slot in rng.permutation(3)[: rng.integers(0, 3)]:
        _hanging(canvas, (slot + 0.5) * width / 3, edge)
    _table(canvas, int(edge))
    pen = canvas.pen()
    for _ in range(int(rng.integers(0, 4))):
        y = rng.uniform(edge + 0.02 * height, height)
        rng.choice(np.array([bowl, books, fruit, plant]))(pen, rng.uniform(0, width), y)
    near = rng.uniform(0.1, 0.9, 5)
    columns = rng.uniform(0.15, 0.85, 5) * width
    return [
        Place(x, edge + (0.97 * height - edge) * n, 0.85 + 0.3 * n)
        for x, n in zip(columns, near, strict=True)
    ]


def _wall(canvas: Canvas) -> None:
    """Paint the wall: plain, striped or panelled, brighter towards the window."""
    rng = canvas.rng
    colour = pick(rng, _WALLS)
    columns = np.arange(canvas.width, dtype=np.float32)
    side = (columns / canvas.width - 0.5) * canvas.light.sun_side
    light = (
        1 + 0.3 * side[None] - 0.12 * np.linspace(-1, 1, canvas.height, dtype=np.float32)[:, None]
    )
    if rng.random() < 0.35:
        pace = canvas.unit * rng.uniform(0.04, 0.14)
        light = light * (1 + rng.uniform(0.03, 0.1) * ((columns / pace) % 1 < 0.5))[None]
    light = light + 0.02 * cloud_noise(rng, light.shape, cells=3, octaves=4)
    canvas.image[:] = colour * light[..., None]


def _hanging(canvas: Canvas, x: float, edge: float) -> None:
    """Draw a picture or a window around column x."""
    rng, unit, pen = canvas.rng, canvas.unit, canvas.pen()
    wide, high = unit * rng.uniform(0.07, 0.13), unit * rng.uniform(0.1, 0.17)
    y = max(high + 0.04 * unit, 0.42 * edge)
    rim = 0.018 * unit
    frame = box(x - wide - rim, y + high + rim, x + wide + rim, y - high - rim)
    pen.shadow(np.add(frame, [0.01 * unit, 0.015 * unit]), softness=0.012 * unit)
    if rng.random() < 0.45:
        pen.fill(frame, colour=(0.92, 0.91, 0.88))
        pen.fill(
            box(x - wide, y + high, x + wide, y - high),
            colour=mix(canvas.light.zenith, (1, 1, 1), 0.4),
            down=-0.3,
        )
        trees = smooth(
            [
                (x - wide, y + high),
                (x - wide, y + 0.3 * high),
                (x, y + 0.6 * high),
                (x + wide, y + 0.2 * high),
                (x + wide, y + high),
            ]
        )
        pen.fill(np.clip(trees, None, [x + wide, y + high]), colour=(0.35, 0.48, 0.3))
        pen.fill(
            box(x - 0.3 * rim, y + high, x + 0.3 * rim, y - high),
            box(x - wide, y + 0.3 * rim, x + wide, y - 0.3 * rim),
            colour=(0.92, 0.91, 0.88),
        )
        return
    pen.fill(frame, colour=pick(rng, _WOODS) * 0.8, down=0.2)
    ground, ink = paint_colour(rng), paint_colour(rng)
    pen.fill(box(x - wide, y + high, x + wide, y - high), colour=ground, down=0.3)
    pen.fill(oval(x, y, wide * 0.55, high * rng.uniform(0.2, 0.6)), colour=ink, down=0.3)


def _table(canvas: Canvas, top: int) -> None:
    """Draw a table top with wood grain that mirrors the light a little."""
    rng = canvas.rng
    colour = pick(rng, _WOODS)
    shape = (canvas.height - top, canvas.width)
    grain = ground_noise(rng, shape, grain=rng.uniform(5, 9), squash=9) + 0.4 * ground_noise(
        rng, shape, grain=50
    )
    light = 1.1 - 0.25 * np.linspace(0, 1, shape[0], dtype=np.float32)[:, None] + 0.07 * grain
    light += (
        0.12
        * (np.arange(shape[1], dtype=np.float32)[None] / shape[1] - 0.5)
        * canvas.light.sun_side
    )
    canvas.image[top:] = colour * light[..., None]
    canvas.pen().fill(
        box(-5, top + 0.012 * canvas.unit, canvas.width + 5, top), colour=colour * 1.25, opacity=0.8
    )
