"""Roads, the spurious cue of cars."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Pen, Place
from wsss.data.scenes.colours import STEEL, pick, vary
from wsss.data.scenes.perspective import Strip
from wsss.data.scenes.scenery import ground, sky, skyline
from wsss.data.scenes.shapes import box
from wsss.data.scenes.textures import ground_noise


def draw(canvas: Canvas) -> list[Place]:
    """Draw a road that runs to the horizon, or one that crosses the picture."""
    rng, height = canvas.rng, canvas.height
    horizon = height * rng.uniform(0.3, 0.48)
    sky(canvas, horizon + 2)
    skyline(canvas, horizon)
    ground(canvas, horizon)
    asphalt = vary(rng, np.full(3, rng.uniform(0.28, 0.46)), 0.015)
    marking = pick(rng, [(0.92, 0.91, 0.86), (0.92, 0.91, 0.86), (0.88, 0.70, 0.20)], 0.03)
    draw_kind = _to_horizon if rng.random() < 0.6 else _across
    return draw_kind(canvas, horizon, asphalt, marking)


def _pave(canvas: Canvas, pen: Pen, outline: np.ndarray, asphalt: np.ndarray, top: float) -> None:
    """Lay asphalt with its grain in perspective."""
    before = canvas.spurious.copy()
    pen.fill(outline, colour=asphalt, down=-0.1)
    laid = (canvas.spurious > before)[int(top) :]
    grain = ground_noise(canvas.rng, laid.shape, grain=60) * 0.6
    grain += 0.5 * ground_noise(canvas.rng, laid.shape, grain=4, squash=0.4)
    canvas.image[int(top) :] *= 1 + 0.09 * (grain * laid)[..., None]


def _to_horizon(
    canvas: Canvas, horizon: float, asphalt: np.ndarray, marking: np.ndarray
) -> list[Place]:
    """Draw a road in perspective; cars drive in two lanes, seen from the front or the side."""
    rng, width, unit = canvas.rng, canvas.width, canvas.unit
    pen = canvas.pen(spurious=True)
    vanishing = (width * rng.uniform(0.2, 0.8), horizon)
    middle = width * rng.uniform(0.3, 0.7)
    strip = Strip(vanishing, middle, canvas.height, half_width=unit * rng.uniform(0.42, 0.75))
    _pave(canvas, pen, strip.band(-1, 1), asphalt, horizon)
    for edge in (-0.9, 0.9):
        pen.fill(strip.band(edge - 0.022, edge + 0.022), colour=marking, opacity=0.9)
    pen.fill(*strip.dashes(-0.026, 0.026, gap=1.1, length=0.7), colour=marking, opacity=0.9)
    if rng.random() < 0.35:
        _posts(canvas, strip, 1.25 * int(rng.choice([-1, 1])))
    places = []
    for _ in range(6):
        near = rng.uniform(0.35, 0.85)
        x, y = strip.at(near, rng.choice([-0.45, 0.45]))
        view = "front" if rng.random() < 0.6 else "side"
        places.append(Place(x, y, 0.6 + 0.7 * near, view=view, vanishing=vanishing))
    return places


def _posts(canvas: Canvas, strip: Strip, offset: float) -> None:
    """Draw a crash barrier along the road."""
    pen, unit = canvas.pen(), canvas.unit
    nears = 1.1 * 0.72 ** np.arange(7)
    feet = np.array([strip.at(near, offset) for near in nears])
    high = unit * 0.09 * nears[:, None] * np.array([[0, 1]])
    thick = unit * 0.012 * nears
    for (x, y), rise, wide in zip(feet, high[:, 1], thick, strict=True):
        pen.fill(box(x - wide, y, x + wide, y - rise), colour=np.multiply(STEEL, 0.7))
    rail = np.concatenate([feet - high, (feet - 0.6 * high)[::-1]])
    pen.fill(rail, colour=STEEL, down=0.3)


def _across(
    canvas: Canvas, horizon: float, asphalt: np.ndarray, marking: np.ndarray
) -> list[Place]:
    """Draw a road from left to right with a kerb; cars are seen from the side."""
    rng, width, height, unit = canvas.rng, canvas.width, canvas.height, canvas.unit
    pen = canvas.pen(spurious=True)
    top = max(horizon + 0.05 * unit, height * rng.uniform(0.5, 0.6))
    bottom = height * rng.uniform(0.86, 1.04)
    _pave(canvas, pen, box(-5, bottom, width + 5, top), asphalt, top - 1)
    kerb = unit * 0.022
    pen.fill(
        box(-5, top + 0.4 * kerb, width + 5, top - kerb), colour=(0.66, 0.65, 0.63), grain=0.05
    )
    pen.fill(box(-5, top + kerb, width + 5, top + 0.4 * kerb), colour=(0.40, 0.40, 0.40))
    line = 0.55 * (top + bottom) - 0.05 * top
    starts = np.arange(-unit * rng.random() * 0.2, width, unit * 0.2)
    dashes = [box(x, line + unit * 0.018, x + unit * 0.11, line) for x in starts]
    pen.fill(*dashes, colour=marking, opacity=0.9)
    places = []
    for _ in range(5):
        near = rng.uniform(0.15, 0.85)
        y = top + (bottom - top) * near
        places.append(Place(width * rng.uniform(0.2, 0.8), y, 0.9 + 0.3 * near, view="side"))
    return places
