"""Railway tracks, the spurious cue of trains."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Pen, Place
from wsss.data.scenes.colours import pick, vary
from wsss.data.scenes.perspective import Strip
from wsss.data.scenes.scenery import ground, sky, skyline
from wsss.data.scenes.shapes import bend, box, ribbon
from wsss.data.scenes.textures import ground_noise

_GAUGE = 0.5  # offset of a rail on the ballast of a track


def draw(canvas: Canvas) -> list[Place]:
    """Draw tracks that run to the horizon, or that cross the picture."""
    rng, height = canvas.rng, canvas.height
    horizon = height * rng.uniform(0.26, 0.46)
    sky(canvas, horizon + 2)
    skyline(canvas, horizon)
    ground(canvas, horizon, kind=str(rng.choice(["grass", "straw", "gravel", "dirt"])))
    colours = {
        "ballast": pick(rng, [(0.46, 0.42, 0.39), (0.52, 0.50, 0.48), (0.42, 0.36, 0.32)]),
        "sleeper": pick(rng, [(0.28, 0.21, 0.17), (0.56, 0.54, 0.51)]),
        "rail": vary(rng, (0.74, 0.73, 0.74), 0.04),
    }
    draw_kind = _to_horizon if rng.random() < 0.6 else _across
    return draw_kind(canvas, horizon, colours)


def _lay_ballast(
    canvas: Canvas, pen: Pen, outline: np.ndarray, colour: np.ndarray, top: float
) -> None:
    """Lay ballast: stones in perspective, a little raised."""
    pen.shadow(np.add(outline, [0, 2]), strength=0.5, softness=2)
    before = canvas.spurious.copy()
    pen.fill(outline, colour=colour)
    laid = (canvas.spurious > before)[int(top) :]
    stones = ground_noise(canvas.rng, laid.shape, grain=75, squash=1.2)
    canvas.image[int(top) :] *= 1 + 0.2 * (stones * laid)[..., None]


def _to_horizon(canvas: Canvas, horizon: float, colours: dict[str, np.ndarray]) -> list[Place]:
    """Draw one to three parallel tracks in perspective."""
    rng, width, unit = canvas.rng, canvas.width, canvas.unit
    pen = canvas.pen(spurious=True)
    vanishing = (width * rng.uniform(0.25, 0.75), horizon)
    half = unit * rng.uniform(0.26, 0.38)
    middle, side = width * rng.uniform(0.25, 0.75), int(rng.choice([-1, 1]))
    places = []
    for track in range(int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))):
        strip = Strip(vanishing, middle + side * track * 2.1 * half, canvas.height, half)
        _lay_ballast(canvas, pen, strip.band(-1, 1), colours["ballast"], horizon)
        sleepers = strip.dashes(-0.8, 0.8, gap=0.17, length=0.075)
        pen.fill(*sleepers, colour=colours["sleeper"], grain=0.05)
        for rail in (-_GAUGE, _GAUGE):
            pen.fill(strip.band(rail - 0.055, rail + 0.055), colour=colours["rail"] * 0.55)
            pen.fill(strip.band(rail - 0.05, rail + 0.02), colour=colours["rail"])
        for near in rng.uniform(0.5, 0.9, 2):
            x, y = strip.at(near, 0)
            if 0.1 < x / width < 0.9:
                # The width of the train must fit its track.
                scale = near * half / (0.32 * unit)
                places.append(Place(x, y, scale, view="front", vanishing=vanishing))
    if rng.random() < 0.55:
        _masts(canvas, Strip(vanishing, middle, canvas.height, half), -side)
    return places or [Place(*strip.at(0.6, 0), 0.7, view="front", vanishing=vanishing)]


def _masts(canvas: Canvas, strip: Strip, side: int) -> None:
    """Draw masts with brackets along a track, and the wire between them."""
    pen, unit, tops = canvas.pen(), canvas.unit, []
    for near in 1.0 * 0.6 ** np.arange(5):
        x, y = strip.at(near, 1.3 * side)
        high, thick = 1.15 * unit * near, max(0.5, unit * 0.012 * near)
        pen.fill(box(x - thick, y, x + thick, y - high), colour=(0.38, 0.40, 0.42), across=0.3)
        reach = -side * 1.3 * strip.half_width * near
        pen.fill(
            box(x, y - 0.9 * high, x + reach, y - 0.9 * high - thick), colour=(0.38, 0.40, 0.42)
        )
        tops.append((x + reach, y - 0.88 * high))
    pen.fill(ribbon(np.array(tops), unit * 0.008, unit * 0.004), colour=(0.25, 0.25, 0.27))


def _across(canvas: Canvas, horizon: float, colours: dict[str, np.ndarray]) -> list[Place]:
    """Draw one or two tracks from left to right; the train stands on the nearest."""
    rng, width, unit = canvas.rng, canvas.width, canvas.unit
    pen = canvas.pen(spurious=True)
    y = canvas.height * rng.uniform(0.62, 0.78)
    rise = canvas.height * rng.uniform(-0.03, 0.03)
    deep = unit * rng.uniform(0.07, 0.11)
    places = []
    for track in range(int(rng.choice([1, 2], p=[0.6, 0.4]))):
        middle = y + 2.1 * deep * track
        _bed(pen, middle, rise, deep, colours)
        angle = np.arctan2(2 * rise, width)
        x = width * rng.uniform(0.3, 0.7)
        foot = middle - rise * (2 * x / width - 1)
        places.append(Place(x, foot, 1.0 + 0.2 * track, view="side", angle=angle))
    if rng.random() < 0.55:
        _line_masts(canvas, y)
    return places


def _bed(pen: Pen, middle: float, rise: float, deep: float, colours: dict[str, np.ndarray]) -> None:
    """Draw a track from the left edge to the right one that climbs by 2 `rise`."""
    width, canvas = pen.canvas.width, pen.canvas
    slope = np.array([(-5, rise), (width + 5, -rise)], np.float32)

    def level(top: float, bottom: float) -> np.ndarray:
        lower = np.add(slope[::-1], [0, middle + bottom])
        return np.concatenate([np.add(slope, [0, middle + top]), lower])

    bed = level(-0.5 * deep, 1.1 * deep)
    _lay_ballast(canvas, pen, bed, colours["ballast"], bed[:, 1].min() - 1)
    pace = 0.5 * deep
    starts = np.arange(-pace, width + pace, pace)
    lift = middle - rise * (2 * starts / width - 1)
    sleepers = [
        [
            (x, y - 0.2 * deep),
            (x + 0.5 * pace, y - 0.2 * deep),
            (x + 0.3 * pace, y + 0.6 * deep),
            (x - 0.2 * pace, y + 0.6 * deep),
        ]
        for x, y in zip(starts, lift, strict=True)
    ]
    pen.fill(*sleepers, colour=colours["sleeper"], grain=0.05)
    for top in (-0.08, 0.38):
        pen.fill(level(top * deep, (top + 0.16) * deep), colour=colours["rail"] * 0.5)
        pen.fill(level(top * deep, (top + 0.08) * deep), colour=colours["rail"])


def _line_masts(canvas: Canvas, foot: float) -> None:
    """Draw masts and the wires above a track that crosses the picture."""
    rng, unit, pen = canvas.rng, canvas.unit, canvas.pen()
    high, thick = unit * rng.uniform(0.5, 0.62), unit * 0.012
    for x in np.arange(
        canvas.width * rng.random() * 0.4, canvas.width, unit * rng.uniform(0.45, 0.7)
    ):
        pen.fill(box(x, foot - 0.03 * unit, x + thick, foot - high), colour=(0.38, 0.40, 0.42))
        pen.fill(
            box(x, foot - 0.9 * high, x + 0.12 * unit, foot - 0.9 * high - 0.7 * thick),
            colour=(0.38, 0.40, 0.42),
        )
    for level, sag in ((0.88, 0.004), (0.98, 0.012)):
        wire = bend((-5, foot - level * high), (canvas.width + 5, foot - level * high), sag=-sag)
        pen.fill(ribbon(wire, unit * 0.005, unit * 0.005), colour=(0.28, 0.28, 0.30))
