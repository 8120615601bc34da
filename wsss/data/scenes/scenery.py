"""Parts that several backgrounds share: sky, what stands on the horizon, the ground."""

import cv2
import numpy as np

from wsss.data.scenes.canvas import Canvas
from wsss.data.scenes.colours import Colour, mix, pick, vary
from wsss.data.scenes.shapes import box
from wsss.data.scenes.textures import cloud_noise, ground_noise

GROUNDS = {
    "grass": (0.30, 0.46, 0.17),
    "straw": (0.62, 0.55, 0.28),
    "dirt": (0.52, 0.41, 0.29),
    "gravel": (0.50, 0.48, 0.46),
    "snow": (0.88, 0.91, 0.95),
}


def sky(canvas: Canvas, bottom: float, *, clouds: float = 0.65) -> None:
    """Paint the sky from the upper edge to row `bottom`; clouds come with that probability."""
    rng, light, height = canvas.rng, canvas.light, int(np.ceil(bottom))
    if height < 2:
        return
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.8
    region = canvas.image[:height]
    region[:] = light.zenith * (1 - fall) + light.horizon * fall
    if light.glow:
        sun = canvas.width * (0.5 + light.sun_side * rng.uniform(0.1, 0.45))
        across = (np.arange(canvas.width, dtype=np.float32) - sun)[None] / canvas.unit
        up = (np.arange(height, dtype=np.float32) - 0.9 * height)[:, None] / canvas.unit
        glow = np.exp(-6 * (across**2 + 2 * up**2)) * light.glow
        region += glow[..., None] * np.array([1.0, 0.75, 0.45], np.float32) * 0.6
    if rng.random() < clouds:
        _clouds(canvas, height)


def _clouds(canvas: Canvas, height: int) -> None:
    """Lay clouds over the sky: flatter towards the horizon, lit from above."""
    rng, shape = canvas.rng, (height, canvas.width)
    stretch = rng.choice([2.0, 4.0, 9.0])
    cells = rng.uniform(2, 4) * max(1.0, height / canvas.height * 1.5)
    noise = cloud_noise(rng, shape, cells=cells, octaves=5, stretch=stretch, decay=0.5)
    cover = np.clip((noise - rng.uniform(-0.1, 0.7)) * 0.9, 0, 1) * rng.uniform(0.6, 0.95)
    above = np.roll(noise, max(1, height // 24), axis=0)
    shade = np.clip(1 - 0.18 * np.clip(above, 0, 2) + 0.06 * (noise - above), 0.6, 1.05)
    lit = canvas.light.cloud * shade[..., None]
    region = canvas.image[:height]
    region += cover[..., None] * (lit - region)


def ground(canvas: Canvas, top: float, *, kind: str | None = None) -> str:
    """Paint the ground from row `top` to the lower edge; returns its kind."""
    rng = canvas.rng
    kind = kind or str(rng.choice(list(GROUNDS), p=[0.48, 0.14, 0.16, 0.16, 0.06]))
    colour = vary(rng, GROUNDS[kind], 0.04)
    height = canvas.height - int(top)
    if height < 2:
        return kind
    shape = (height, canvas.width)
    deep = 0.8 if kind in ("grass", "straw") else 1.3
    fine = ground_noise(rng, shape, grain=rng.uniform(50, 80), squash=deep)
    patches = ground_noise(rng, shape, grain=rng.uniform(3, 6))
    amount = 0.05 if kind == "snow" else 0.13
    light = 1 + amount * fine + 0.6 * amount * patches
    near = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    far = mix(colour, canvas.light.horizon, 0.3)
    base = far + (colour - far) * np.clip(2.2 * near, 0, 1)
    canvas.image[int(top) :] = base * light[..., None] * (1.06 - 0.14 * near)
    return kind


def ridge(canvas: Canvas, base: float, heights: np.ndarray, colour: Colour) -> None:
    """Fill what lies between row `base` and `heights` above it.

    Args:
        canvas: drawn on.
        base: lowest row.
        heights: pixels, one a column.
        colour: RGB, one or one a column.
    """
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    cover = np.clip(rows - (base - heights)[None], 0, 1) * (rows <= base)
    high = max(1.0, float(heights.max()))
    light = 1.08 - 0.22 * np.clip((rows - base + high) / high, 0, 1)
    top = max(0, int(base - high) - 1)
    bottom = int(base) + 1
    region = canvas.image[top:bottom]
    paint = light[top:bottom, :, None] * np.asarray(colour, np.float32)
    region += cover[top:bottom, :, None] * (paint - region)


def hills(canvas: Canvas, base: float) -> None:
    """Draw one to three chains of hills; the farther, the more they fade into the sky."""
    rng, unit = canvas.rng, canvas.unit
    near = pick(rng, [(0.22, 0.34, 0.20), (0.34, 0.36, 0.24), (0.28, 0.32, 0.36)])
    count = int(rng.integers(1, 4))
    for layer in range(count, 0, -1):
        line = cloud_noise(rng, (1, canvas.width), cells=1.5 + layer, octaves=4)[0]
        heights = unit * (0.03 + 0.045 * layer) * (1.1 + 0.55 * line)
        haze = min(0.85, 0.2 + 0.25 * (layer - 1) + 0.1 * rng.random())
        ridge(canvas, base, np.clip(heights, 0, None), mix(near, canvas.light.horizon, haze))


def forest(canvas: Canvas, base: float) -> None:
    """Draw a line of trees: round crowns or pointed firs."""
    rng, unit = canvas.rng, canvas.unit
    colour = pick(
        rng, [(0.17, 0.30, 0.14), (0.24, 0.34, 0.14), (0.14, 0.26, 0.20), (0.42, 0.28, 0.12)]
    )
    columns = np.arange(canvas.width, dtype=np.float32)
    for depth in (0.4, 0.15):
        high = unit * rng.uniform(0.05, 0.12) * (1.35 if depth > 0.3 else 0.9)
        if rng.random() < 0.4:
            pace = unit * rng.uniform(0.03, 0.06)
            saw = 1 - np.abs((columns / pace + rng.random()) % 1 - 0.5) * 2
            line = 0.5 + 0.7 * saw * (0.7 + 0.3 * np.sin(columns / pace * 0.37))
        else:
            line = 1 + 0.35 * cloud_noise(rng, (1, canvas.width), cells=9, octaves=3)[0]
        ridge(canvas, base, high * np.clip(line, 0.1, 2), mix(colour, canvas.light.horizon, depth))


def town(canvas: Canvas, base: float) -> None:
    """Draw a row of buildings with windows."""
    rng, unit, pen = canvas.rng, canvas.unit, canvas.pen()
    tone = pick(rng, [(0.62, 0.58, 0.54), (0.70, 0.52, 0.42), (0.52, 0.56, 0.62)])
    x = -unit * rng.uniform(0, 0.1)
    while x < canvas.width:
        wide, high = unit * rng.uniform(0.07, 0.18), unit * rng.uniform(0.06, 0.30)
        if rng.random() < 0.8:
            wall = mix(vary(rng, tone, 0.09), canvas.light.horizon, 0.25)
            pen.fill(box(x, base, x + wide, base - high), colour=wall, across=0.25, down=0.1)
            if rng.random() < 0.4:
                roof = [
                    (x, base - high),
                    (x + wide / 2, base - high * 1.25),
                    (x + wide, base - high),
                ]
                pen.fill(roof, colour=mix((0.5, 0.28, 0.2), wall, 0.4))
            pace = unit * 0.034
            windows = [
                box(column, row, column + pace * 0.45, row - pace * 0.55)
                for column in np.arange(x + pace * 0.5, x + wide - pace * 0.7, pace)
                for row in np.arange(base - high + pace, base - pace * 0.3, pace * 1.1)
            ]
            if windows:
                lit = rng.random() < 0.2
                glass = (0.95, 0.85, 0.55) if lit else mix((0.2, 0.25, 0.32), wall, 0.25)
                pen.fill(*windows, colour=glass)
        x += wide * rng.uniform(0.95, 1.3)


def skyline(canvas: Canvas, base: float) -> None:
    """Draw what stands on the horizon at row `base`: hills, trees, a town, or hills and trees."""
    kind = canvas.rng.random()
    if kind < 0.55:
        hills(canvas, base)
    if kind < 0.25 or 0.55 <= kind < 0.78:
        forest(canvas, base)
    elif kind >= 0.78:
        town(canvas, base)


def blurred_leaves(canvas: Canvas, colours: list[np.ndarray]) -> None:
    """Fill the canvas with foliage out of focus: soft blobs and discs of light."""
    rng = canvas.rng
    small = (max(8, canvas.height // 6), max(8, canvas.width // 6))
    share = cloud_noise(rng, small, cells=3, octaves=3)[..., None]
    share = np.clip(0.5 + 0.45 * share, 0, 1)
    field = colours[0] * (1 - share) + colours[1] * share
    field = cv2.resize(
        field.astype(np.float32), (canvas.width, canvas.height), interpolation=cv2.INTER_CUBIC
    )
    canvas.image[:] = np.clip(field, 0, 1)
    glow = np.zeros(canvas.image.shape[:2], np.uint8)
    for _ in range(int(rng.integers(0, 14))):
        centre = (int(rng.uniform(0, canvas.width)), int(rng.uniform(0, canvas.height)))
        radius = max(1, int(canvas.unit * rng.uniform(0.02, 0.07)))
        cv2.circle(glow, centre, radius, int(rng.integers(30, 110)), -1, cv2.LINE_AA)
    glow = cv2.GaussianBlur(glow, (0, 0), canvas.unit * 0.008)
    canvas.image += (glow / np.float32(255))[..., None] * (canvas.light.cloud - canvas.image)
