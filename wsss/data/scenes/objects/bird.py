"""Birds: perched, or with raised wings; plump, slender or long-tailed."""

import numpy as np

from wsss.data.scenes.canvas import Pen, Place
from wsss.data.scenes.colours import mix, vary
from wsss.data.scenes.shapes import Frame, box, frame, oval, smooth

# Back, belly, wing.
_PLUMAGES = (
    ((0.46, 0.35, 0.24), (0.82, 0.73, 0.58), (0.34, 0.25, 0.17)),
    ((0.70, 0.16, 0.13), (0.85, 0.42, 0.30), (0.42, 0.10, 0.10)),
    ((0.20, 0.36, 0.70), (0.88, 0.60, 0.36), (0.14, 0.24, 0.50)),
    ((0.13, 0.13, 0.16), (0.20, 0.20, 0.24), (0.09, 0.09, 0.11)),
    ((0.88, 0.74, 0.20), (0.93, 0.86, 0.50), (0.28, 0.26, 0.20)),
    ((0.56, 0.58, 0.62), (0.92, 0.92, 0.92), (0.38, 0.40, 0.44)),
    ((0.30, 0.48, 0.24), (0.82, 0.80, 0.36), (0.20, 0.34, 0.20)),
    ((0.92, 0.92, 0.92), (0.98, 0.97, 0.95), (0.70, 0.72, 0.75)),
)
_BEAK, _LEG = (0.93, 0.62, 0.16), (0.48, 0.36, 0.22)


def draw(pen: Pen, place: Place, size: float) -> None:
    """Draw a bird whose feet are at the place; size is the nominal size of objects, pixels."""
    rng = pen.canvas.rng
    back, belly, wing = (
        vary(rng, colour, 0.04) for colour in _PLUMAGES[rng.integers(len(_PLUMAGES))]
    )
    body = 0.205 * size * rng.uniform(0.88, 1.12)
    facing = place.facing or int(rng.choice([-1, 1]))
    tilt = rng.uniform(-0.1, 0.6)
    plump, tail = rng.uniform(0.52, 0.68), rng.uniform(0.9, 1.7)
    rise = 0.95 * body
    if place.surface == "ground":
        pen.shadow(oval(place.x, place.y, body, 0.2 * body), softness=0.1 * body)
    at = frame(place.x, place.y - rise, body, mirror=facing, angle=tilt)
    _legs(pen, place, body, facing)
    feathers = [(-0.75, 0.12), (-0.9 - tail, 0.10), (-0.95 - tail, -0.12), (-0.6, -0.28)]
    pen.fill(at(feathers), colour=wing * 0.9, down=0.2)
    raised = rng.random() < 0.3
    if raised:
        _raised_wing(pen, at, wing * 0.8, shift=0.2)
    outline = [
        (-1.05, 0.05),
        (-0.5, plump * 0.92),
        (0.4, plump * 1.02),
        (0.95, 0.75),
        (1.12, 0.2),
        (0.7, -plump * 0.85),
        (-0.1, -plump * 1.1),
        (-0.75, -plump * 0.6),
    ]
    pen.fill(smooth(at(outline)), colour=back, down=0.3, grain=0.05)
    chest = [
        (1.02, 0.3),
        (0.72, -plump * 0.72),
        (-0.05, -plump * 0.98),
        (-0.6, -plump * 0.5),
        (0.2, -0.12),
        (0.62, 0.3),
    ]
    pen.fill(smooth(at(chest)), colour=belly, down=0.35, grain=0.03)
    head = (0.92, 0.72)
    cap = back if rng.random() < 0.6 else mix(belly, back, 0.15)
    _head(pen, at, head, cap, crest=rng.random() < 0.25)
    if raised:
        _raised_wing(pen, at, wing, shift=0.0)
    else:
        _folded_wing(pen, at, wing, plump)


def _legs(pen: Pen, place: Place, body: float, facing: int) -> None:
    """Draw two legs with toes that grip what is below."""
    at = frame(place.x, place.y, body, mirror=facing)
    for x in (-0.12, 0.18):
        pen.fill(
            at([(x - 0.04, 0), (x - 0.05, 0.55), (x + 0.05, 0.55), (x + 0.04, 0)]), colour=_LEG
        )
        pen.fill(at(box(x - 0.12, -0.05, x + 0.2, 0.03)), colour=_LEG)


def _head(pen: Pen, at: Frame, head: tuple[float, float], cap: np.ndarray, *, crest: bool) -> None:
    """Draw the head with beak and eye."""
    x, y = head
    if crest:
        pen.fill(
            at([(x - 0.3, y + 0.2), (x - 0.62, y + 0.72), (x + 0.1, y + 0.34)]), colour=cap * 0.9
        )
    pen.fill(
        at([(x + 0.3, y + 0.14), (x + 0.86, y - 0.06), (x + 0.3, y - 0.16)]), colour=_BEAK, down=0.5
    )
    pen.fill(at(oval(x, y, 0.44, 0.40)), colour=cap, down=0.35)
    pen.fill(at(oval(x + 0.14, y + 0.08, 0.11, 0.11)), colour=(0.04, 0.04, 0.05))
    pen.fill(at(oval(x + 0.17, y + 0.12, 0.04, 0.04)), colour=(1, 1, 1))


def _folded_wing(pen: Pen, at: Frame, wing: np.ndarray, plump: float) -> None:
    """Draw the wing along the body, with its feathers."""
    outline = [
        (0.45, 0.3),
        (0.1, plump * 0.7),
        (-0.6, 0.35),
        (-1.5, 0.0),
        (-0.5, -plump * 0.4),
        (0.3, -0.15),
    ]
    pen.fill(smooth(at(outline)), colour=wing, down=0.3)
    bars = [
        at(
            smooth(
                [(0.1 - s, -0.02), (-0.5 - s, -0.14), (-0.7 - s, -0.06), (-0.2 - s, 0.08)], rounds=1
            )
        )
        for s in (0.0, 0.28, 0.56)
    ]
    pen.fill(*bars, colour=mix(wing, (1, 1, 1), 0.3), opacity=0.8)


def _raised_wing(pen: Pen, at: Frame, wing: np.ndarray, *, shift: float) -> None:
    """Draw a spread wing above the back, with feathers along its hind edge."""
    outline = [
        (0.45, 0.3),
        (0.35, 1.2),
        (-0.1 - shift, 2.0),
        (-0.75 - shift, 2.1),
        (-0.95, 1.3),
        (-0.65, 0.3),
    ]
    pen.fill(smooth(at([(x + shift, y) for x, y in outline])), colour=wing, down=-0.25, grain=0.03)
    lines = [
        at(
            [
                (x + shift, 0.5),
                (x - 0.28 + shift, 1.7),
                (x - 0.22 + shift, 1.7),
                (x + 0.05 + shift, 0.5),
            ]
        )
        for x in (-0.45, -0.2, 0.05)
    ]
    pen.fill(*lines, colour=wing * 0.7, opacity=0.7)
