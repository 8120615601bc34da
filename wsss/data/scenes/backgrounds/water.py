"""Open water, the spurious cue of boats."""

import cv2
import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.colours import mix, pick
from wsss.data.scenes.scenery import sky, skyline
from wsss.data.scenes.shapes import box, smooth
from wsss.data.scenes.textures import ground_noise

_DEEP = ((0.08, 0.26, 0.38), (0.10, 0.34, 0.36), (0.20, 0.28, 0.32), (0.07, 0.20, 0.36))


def draw(canvas: Canvas) -> list[Place]:
    """Draw sea or lake below a horizon; boats float nearer or farther."""
    rng, width, height = canvas.rng, canvas.width, canvas.height
    horizon = height * rng.uniform(0.2, 0.48)
    sky(canvas, horizon + 2)
    if rng.random() < 0.7:
        skyline(canvas, horizon)
    _surface(canvas, int(horizon))
    if rng.random() < 0.3:
        _pier(canvas)
    places = []
    for _ in range(5):
        near = rng.uniform(0.25, 0.8)
        y = horizon + (height - horizon) * near
        places.append(Place(width * rng.uniform(0.25, 0.75), y, 0.75 + 0.5 * near, surface="water"))
    return places


def _surface(canvas: Canvas, top: int) -> None:
    """Paint the water: mirrored sky far away, deep colour near, waves in perspective."""
    rng, shape = canvas.rng, (canvas.height - top, canvas.width)
    deep = mix(pick(rng, _DEEP), canvas.light.horizon, 0.1)
    near = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None, None]
    far = mix(deep, canvas.light.horizon, 0.55)
    fade = far + (deep - far) * np.clip(1.7 * near, 0, 1) ** 0.6
    water = np.broadcast_to(fade, (*shape, 3)).copy()
    _mirror(canvas, water, top)
    waves = ground_noise(rng, shape, grain=rng.uniform(14, 26), squash=3.0)
    ripples = ground_noise(rng, shape, grain=rng.uniform(40, 60), squash=2.5)
    height = 0.75 * waves + 0.5 * ripples
    water += (0.055 + 0.03 * near) * height[..., None] * np.array([0.9, 1.0, 1.0], np.float32)
    crest = np.clip((height - 1.25) * 1.2, 0, 1) * 0.55
    water += crest[..., None] * (canvas.light.cloud - water)
    if canvas.light.glow:
        _glitter(canvas, water, height)
    canvas.image[top:] = water
    region = np.zeros((canvas.height, canvas.width), bool)
    region[top:] = True
    canvas.own(region, spurious=True)


def _mirror(canvas: Canvas, water: np.ndarray, top: int) -> None:
    """Add the blurred mirror image of what stands on the horizon."""
    rows = min(top, len(water), int(0.22 * canvas.unit))
    if rows < 4:
        return
    image = cv2.GaussianBlur(canvas.image[top - rows : top][::-1], (0, 0), 1 + 0.012 * canvas.unit)
    share = np.linspace(0.6, 0, rows, dtype=np.float32)[:, None, None]
    water[:rows] += share * (image - water[:rows])


def _glitter(canvas: Canvas, water: np.ndarray, height: np.ndarray) -> None:
    """Add the broken reflection of a low sun."""
    sun = canvas.width * (0.5 + canvas.light.sun_side * canvas.rng.uniform(0.1, 0.4))
    across = np.abs(np.arange(canvas.width, dtype=np.float32) - sun)[None] / canvas.unit
    spread = np.linspace(0.05, 0.22, len(water), dtype=np.float32)[:, None]
    sparkle = np.clip(height - 0.3, 0, 1) * np.exp(-((across / spread) ** 2))
    water += sparkle[..., None] * np.array([1.0, 0.82, 0.55], np.float32) * canvas.light.glow


def _pier(canvas: Canvas) -> None:
    """Draw a wooden pier or a grassy shore that enters at a side."""
    rng, unit, pen = canvas.rng, canvas.unit, canvas.pen()
    left = rng.random() < 0.5
    y, reach = canvas.height * rng.uniform(0.62, 0.95), unit * rng.uniform(0.2, 0.38)

    def at(x: float) -> float:
        return x if left else canvas.width - x

    if rng.random() < 0.5:
        wood = pick(rng, [(0.45, 0.34, 0.24), (0.50, 0.46, 0.42)])
        posts = [
            box(at(x), y + unit * 0.11, at(x + unit * 0.02), y)
            for x in np.arange(0, reach, unit * 0.11)
        ]
        pen.fill(*posts, colour=wood * 0.6)
        pen.fill(box(at(-4), y + unit * 0.035, at(reach), y), colour=wood, grain=0.06)
        pen.fill(box(at(-4), y + unit * 0.045, at(reach), y + unit * 0.03), colour=wood * 0.7)
        return
    shore = [
        (at(-20), y),
        (at(reach * 0.5), y),
        (at(reach), y + unit * 0.09),
        (at(-20), y + unit * 0.16),
    ]
    pen.fill(
        smooth(shore),
        colour=pick(rng, [(0.34, 0.42, 0.2), (0.72, 0.64, 0.46)]),
        down=0.3,
        grain=0.06,
    )
