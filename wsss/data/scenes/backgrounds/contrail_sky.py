"""Sky with contrails, the spurious cue of aeroplanes."""

import cv2
import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.scenery import forest, hills, sky
from wsss.data.scenes.shapes import ribbon
from wsss.data.scenes.textures import cloud_noise


def draw(canvas: Canvas) -> list[Place]:
    """Draw the sky; an aeroplane may fly at the head of each contrail."""
    rng, width, height = canvas.rng, canvas.width, canvas.height
    sky(canvas, height, clouds=0.5)
    if rng.random() < 0.3:
        (forest if rng.random() < 0.5 else hills)(canvas, height)
    _old_contrail(canvas)
    places = []
    for _ in range(int(rng.integers(1, 3))):
        head = np.array([width * rng.uniform(0.32, 0.68), height * rng.uniform(0.25, 0.75)])
        facing, angle = int(rng.choice([-1, 1])), rng.uniform(-0.35, 0.6)
        back = np.array([-facing * np.cos(angle), np.sin(angle)])
        # An aeroplane at the place hides the contrail's first stretch.
        start, length = head + back * 0.25 * canvas.unit, canvas.unit * rng.uniform(0.6, 1.3)
        _contrail(canvas, start, start + back * length)
        x, y = float(head[0]), float(head[1])
        places.append(Place(x, y, facing=facing, angle=angle, surface="air"))
    return places


def _old_contrail(canvas: Canvas) -> None:
    """Draw a contrail that crosses the middle of the picture from edge to edge."""
    rng, turn = canvas.rng, canvas.rng.uniform(-0.7, 0.7)
    middle = np.array(
        [canvas.width * rng.uniform(0.35, 0.65), canvas.height * rng.uniform(0.3, 0.7)]
    )
    along = canvas.width * rng.choice([-0.8, 0.8]) * np.array([1.0, np.tan(turn)])
    _contrail(canvas, middle - along, middle + along)


def _contrail(canvas: Canvas, head: np.ndarray, tail: np.ndarray) -> None:
    """Draw two bands of ice that widen, fray and fade towards the tail."""
    rng, unit = canvas.rng, canvas.unit
    wide = unit * rng.uniform(0.016, 0.03)
    along = (tail - head) / np.linalg.norm(tail - head)
    side = np.array([-along[1], along[0]]) * wide * rng.uniform(0.9, 1.6)
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    for offset in (-side, side):
        line = np.linspace(head + offset, tail + 1.6 * offset, 6)
        outline = np.round(ribbon(line, wide, wide * rng.uniform(1.5, 4)) * 16).astype(np.int32)
        cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA, shift=4)
    cover = cv2.GaussianBlur(mask, (0, 0), max(0.6, unit * 0.006)).astype(np.float32) / 255
    fray = cloud_noise(rng, cover.shape, cells=14, octaves=2)
    cover *= np.clip(0.85 + 0.22 * fray, 0.25, 1)
    canvas.image += 0.92 * cover[..., None] * (canvas.light.cloud - canvas.image)
    canvas.own(cover > 0.3, spurious=True)
