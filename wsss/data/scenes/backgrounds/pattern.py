"""Cloth, tiles or paint from straight above; no spurious cue."""

import cv2
import numpy as np

from wsss.data.scenes.canvas import Canvas, Place
from wsss.data.scenes.colours import mix, paint_colour
from wsss.data.scenes.textures import cloud_noise


def draw(canvas: Canvas) -> list[Place]:
    """Draw marbled paint, checks, stripes or tiles in two or three colours."""
    rng, shape = canvas.rng, (canvas.height, canvas.width)
    first, second = paint_colour(rng), paint_colour(rng)
    second = mix(second, first, rng.uniform(0, 0.5))
    draw_kind = (_marble, _checks, _stripes, _tiles)[rng.integers(4)]
    share = draw_kind(canvas)[..., None]
    canvas.image[:] = first * (1 - share) + second * share
    fold = cloud_noise(rng, shape, cells=1.5, octaves=2)
    canvas.image *= (1 + 0.07 * fold + 0.03 * cloud_noise(rng, shape, cells=40, octaves=1))[
        ..., None
    ]
    return []


def _marble(canvas: Canvas) -> np.ndarray:
    """Return bands of noise that is itself displaced by noise."""
    rng, shape = canvas.rng, (canvas.height, canvas.width)
    noise = cloud_noise(rng, shape, cells=3, octaves=3)
    columns, rows = np.meshgrid(
        np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)
    )
    shift = 0.12 * canvas.unit * cloud_noise(rng, shape, cells=2, octaves=2)
    warped = cv2.remap(
        noise, columns + shift, rows - shift, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return (0.5 + 0.5 * np.sin(rng.uniform(2, 5) * warped)).astype(np.float32)


def _waves(canvas: Canvas, count: float, angle: float) -> np.ndarray:
    """Return a plane wave with `count` periods over the unit, -1..1."""
    columns = np.arange(canvas.width, dtype=np.float32)[None] / canvas.unit
    rows = np.arange(canvas.height, dtype=np.float32)[:, None] / canvas.unit
    return np.sin(2 * np.pi * count * (columns * np.cos(angle) + rows * np.sin(angle)))


def _checks(canvas: Canvas) -> np.ndarray:
    """Return the checks of a woven cloth."""
    count, angle = canvas.rng.uniform(2, 6), canvas.rng.uniform(0, np.pi / 2)
    warp = _waves(canvas, count, angle) > 0
    weft = _waves(canvas, count, angle + np.pi / 2) > 0
    return (0.5 * warp + 0.5 * weft).astype(np.float32)


def _stripes(canvas: Canvas) -> np.ndarray:
    """Return stripes of two widths."""
    count, angle = canvas.rng.uniform(2, 7), canvas.rng.uniform(0, np.pi)
    return (
        np.clip(4 * _waves(canvas, count, angle), 0, 1) * 0.7
        + 0.3 * (_waves(canvas, 3 * count, angle) > 0.4)
    ).astype(np.float32)


def _tiles(canvas: Canvas) -> np.ndarray:
    """Return tiles of varied shade with joints between them."""
    rng, pace = canvas.rng, canvas.unit * canvas.rng.uniform(0.08, 0.22)
    rows, columns = np.arange(canvas.height) / pace, np.arange(canvas.width) / pace
    shades = rng.random((int(rows[-1]) + 1, int(columns[-1]) + 1), dtype=np.float32) * 0.6
    share = shades[rows.astype(int)][:, columns.astype(int)]
    joint = ((rows % 1 < 0.08)[:, None]) | ((columns % 1 < 0.08)[None])
    return np.where(joint, np.float32(1), share)
