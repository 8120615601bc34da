"""Cars: saloon, hatchback, off-roader or van, from the side, the front or the back."""

import numpy as np

from wsss.data.scenes.canvas import Pen, Place
from wsss.data.scenes.colours import GLASS, RUBBER, STEEL, mix, paint_colour
from wsss.data.scenes.shapes import Frame, box, frame, oval, smooth

# Roof lines from tail to nose, y up, in half lengths: (outline of the cabin, its windows).
_SALOON = ([(-0.80, 0.50), (-0.46, 0.86), (0.18, 0.88), (0.56, 0.54)], (-0.36, 0.12, 0.80))
_HATCH = ([(-0.94, 0.50), (-0.80, 0.88), (0.10, 0.90), (0.54, 0.54)], (-0.68, 0.08, 0.82))
_OFF_ROAD = ([(-0.97, 0.55), (-0.92, 1.02), (0.16, 1.02), (0.46, 0.58)], (-0.84, 0.14, 0.94))
_VAN = ([(-0.99, 0.50), (-0.97, 1.16), (0.42, 1.14), (0.80, 0.58)], (-0.10, 0.40, 1.02))
_BODIES = (_SALOON, _HATCH, _OFF_ROAD, _VAN)


def draw(pen: Pen, place: Place, size: float) -> None:
    """Draw a car that stands on the place; size is the nominal size of objects there, pixels."""
    rng = pen.canvas.rng
    view = place.view if place.view != "any" else str(rng.choice(["side", "side", "front"]))
    colour = paint_colour(rng)
    if view == "side":
        _side(pen, place, 0.30 * size * rng.uniform(0.9, 1.1), colour)
    else:
        _front(pen, place, 0.235 * size * rng.uniform(0.9, 1.1), colour)


def _side(pen: Pen, place: Place, half: float, colour: np.ndarray) -> None:
    """Draw it from the side; half is half its length."""
    rng = pen.canvas.rng
    facing = place.facing or int(rng.choice([-1, 1]))
    at = frame(place.x, place.y, half, mirror=facing)
    cabin, (rear, nose, roof) = _BODIES[rng.integers(len(_BODIES))]
    pen.shadow(oval(place.x, place.y, 1.12 * half, 0.13 * half), strength=1.6, softness=0.06 * half)
    pen.fill(smooth(at([*cabin, (0.6, 0.4), (-0.9, 0.4)]), rounds=1), colour=colour * 0.92)
    body = [
        (-1.0, 0.16),
        (-1.02, 0.46),
        (-0.94, 0.58),
        (0.50, 0.58),
        (0.92, 0.48),
        (1.03, 0.34),
        (1.0, 0.15),
    ]
    pen.fill(smooth(at(body), rounds=1), colour=colour, down=0.45)
    glass = mix(GLASS, pen.canvas.light.zenith, 0.25)
    middle = 0.5 * (rear + nose)
    sill = 0.57
    rear_pane = [(rear - 0.12, sill), (rear, roof), (middle - 0.03, roof), (middle - 0.03, sill)]
    front_pane = [(middle + 0.03, sill), (middle + 0.03, roof), (nose, roof), (nose + 0.28, sill)]
    pen.fill(at(rear_pane), at(front_pane), colour=glass, down=0.6)
    pen.fill(
        at([(nose - 0.12, sill), (nose - 0.02, roof), (nose, roof), (nose + 0.03, sill)]),
        colour=glass * 1.9,
        opacity=0.5,
    )
    pen.fill(at(box(-0.98, 0.40, 0.95, 0.425)), colour=colour * 1.25, opacity=0.5)
    pen.fill(at(box(middle - 0.012, 0.2, middle + 0.012, 0.56)), colour=colour * 0.55, opacity=0.8)
    pen.fill(at(box(middle - 0.16, 0.47, middle - 0.06, 0.49)), colour=colour * 0.5, opacity=0.8)
    pen.fill(at(box(-1.0, 0.13, 1.0, 0.19)), colour=mix(colour * 0.4, RUBBER, 0.5))
    for x in (-0.60, 0.60):
        _wheel(pen, at, x)
    pen.fill(at(oval(0.95, 0.40, 0.07, 0.05)), colour=(1.0, 0.96, 0.78))
    pen.fill(at(box(-1.02, 0.40, -0.95, 0.52)), colour=(0.78, 0.10, 0.10))


def _wheel(pen: Pen, at: Frame, x: float) -> None:
    """Draw a wheel in its arch."""
    pen.fill(at(oval(x, 0.2, 0.25, 0.25)), colour=np.multiply(RUBBER, 0.5))
    pen.fill(at(oval(x, 0.19, 0.21, 0.21)), colour=RUBBER)
    pen.fill(at(oval(x, 0.19, 0.12, 0.12)), colour=STEEL, down=0.5)
    pen.fill(at(oval(x, 0.19, 0.04, 0.04)), colour=np.multiply(STEEL, 0.5))


def _front(pen: Pen, place: Place, half: float, colour: np.ndarray) -> None:
    """Draw it from the front or the back; half is half its width."""
    rng = pen.canvas.rng
    at = frame(place.x, place.y, half)
    high = rng.choice([1.35, 1.5, 1.75])
    lean = (
        0.25
        if place.vanishing is None
        else np.clip((place.vanishing[0] - place.x) / (4 * half), -0.35, 0.35)
    )
    pen.shadow(
        oval(place.x, place.y - 0.04 * half, 1.15 * half, 0.16 * half),
        strength=1.8,
        softness=0.08 * half,
    )
    pen.fill(at(box(-0.9, 0, -0.55, 0.4)), at(box(0.55, 0, 0.9, 0.4)), colour=RUBBER)
    if abs(lean) > 0.1:
        # The flank that shows towards the vanishing point.
        side = np.sign(lean)
        flank = [
            (side * 0.8, 0.25),
            (side * 0.8, 0.95),
            (side * (0.8 + abs(lean)), 0.9),
            (side * (0.85 + abs(lean)), 0.3),
        ]
        pen.fill(at(flank), colour=colour * 0.6)
    pen.fill(
        smooth(at([(-0.80, 0.8), (-0.66, high), (0.66, high), (0.80, 0.8)]), rounds=1),
        at(box(-0.72, 0.75, 0.72, 0.95)),
        colour=colour * 0.9,
    )
    glass = mix(GLASS, pen.canvas.light.zenith, 0.3)
    pen.fill(
        at([(-0.68, 0.88), (-0.54, high - 0.12), (0.54, high - 0.12), (0.68, 0.88)]),
        colour=glass,
        down=0.7,
    )
    pen.fill(
        at([(-0.3, 0.88), (-0.1, high - 0.12), (0.1, high - 0.12), (-0.1, 0.88)]),
        colour=glass * 1.8,
        opacity=0.35,
    )
    body = [(-0.98, 0.2), (-1.0, 0.66), (-0.84, 0.9), (0.84, 0.9), (1.0, 0.66), (0.98, 0.2)]
    pen.fill(smooth(at(body), rounds=1), colour=colour, down=0.5)
    pen.fill(at(box(-0.96, 0.17, 0.96, 0.30)), colour=mix(colour * 0.5, RUBBER, 0.3))
    back = rng.random() < 0.45
    lamp = (0.80, 0.10, 0.10) if back else (1.0, 0.97, 0.84)
    pen.fill(
        at(oval(-0.74, 0.62, 0.18, 0.12)), at(oval(0.74, 0.62, 0.18, 0.12)), colour=lamp, down=0.3
    )
    if not back:
        pen.fill(at(box(-0.46, 0.42, 0.46, 0.62)), colour=RUBBER)
        pen.fill(at(box(-0.46, 0.50, 0.46, 0.53)), colour=STEEL)
    pen.fill(at(box(-0.24, 0.26, 0.24, 0.36)), colour=(0.92, 0.92, 0.86))
    pen.fill(
        at(box(-1.12, 0.84, -0.92, 0.98)), at(box(0.92, 0.84, 1.12, 0.98)), colour=colour * 0.7
    )
