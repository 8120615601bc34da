"""Trains: express, local or with a locomotive, from the side, or coming along the track."""

import numpy as np

from wsss.data.scenes.canvas import Pen, Place
from wsss.data.scenes.colours import GLASS, RUBBER, STEEL, mix, paint_colour, vary
from wsss.data.scenes.shapes import Frame, box, frame, oval


def draw(pen: Pen, place: Place, size: float) -> None:
    """Draw a train that stands on the place; size is the nominal size of objects there, pixels."""
    rng = pen.canvas.rng
    view = place.view if place.view != "any" else str(rng.choice(["side", "front"]))
    colours = {
        "body": paint_colour(rng),
        "band": paint_colour(rng),
        "roof": vary(rng, (0.45, 0.46, 0.48), 0.05),
    }
    if view == "side":
        _side(pen, place, size * rng.uniform(0.26, 0.34), colours)
    else:
        _front(pen, place, size * rng.uniform(0.19, 0.23), colours)


def _side(pen: Pen, place: Place, high: float, colours: dict[str, np.ndarray]) -> None:
    """Draw coaches behind a driving end; high is the height of the train."""
    rng = pen.canvas.rng
    facing = place.facing or int(rng.choice([-1, 1]))
    angle = place.angle * facing
    at = frame(place.x, place.y, high, mirror=facing, angle=angle)
    nose = rng.uniform(0.5, 1.6)
    length = rng.uniform(2.2, 3.6)
    gap, coach = 0.05, rng.uniform(1.5, 2.0)
    pen.shadow(at(box(nose - length, -0.04, nose, 0.14)), strength=1.5, softness=0.04 * high)
    slant = rng.choice([0.08, 0.3, 0.55])
    front = nose
    first = True
    while front > nose - length:
        back = max(front - coach, nose - length)
        _coach(pen, at, back, front, slant if first else 0.0, colours)
        if back > nose - length:
            pen.fill(at(box(back - gap - 0.02, 0.16, back + 0.02, 0.84)), colour=RUBBER)
        front, first = back - gap, False
    if rng.random() < 0.6:
        x = nose - rng.uniform(0.7, 1.2)
        arm = [
            (x, 1.0),
            (x + 0.14, 1.12),
            (x, 1.24),
            (x - 0.03, 1.24),
            (x + 0.09, 1.12),
            (x - 0.04, 1.0),
        ]
        pen.fill(at(arm), at(box(x - 0.16, 1.23, x + 0.12, 1.26)), colour=(0.25, 0.25, 0.27))


def _coach(
    pen: Pen, at: Frame, back: float, front: float, slant: float, colours: dict[str, np.ndarray]
) -> None:
    """Draw one coach between two positions along the train; the driving end slants."""
    rng = pen.canvas.rng
    body, band = colours["body"], colours["band"]
    glass = mix(GLASS, pen.canvas.light.zenith, 0.2)
    for x in (back + 0.22, back + 0.46, front - 0.46 - slant / 2, front - 0.22 - slant / 2):
        if back < x < front:
            pen.fill(at(oval(x, 0.09, 0.10, 0.10)), colour=RUBBER)
            pen.fill(at(oval(x, 0.09, 0.045, 0.045)), colour=STEEL)
    pen.fill(at(box(back + 0.05, 0.08, front - 0.05 - slant / 2, 0.2)), colour=(0.18, 0.18, 0.20))
    outline = [
        (back, 0.16),
        (back, 0.97),
        (front - slant, 0.97),
        (front - 0.25 * slant, 0.55),
        (front, 0.3),
        (front, 0.16),
    ]
    pen.fill(at(outline), colour=body, down=0.35)
    pen.fill(
        at(
            [
                (back, 0.92),
                (back + 0.04, 1.0),
                (front - slant - 0.04, 1.0),
                (front - 0.9 * slant, 0.92),
            ]
        ),
        colour=colours["roof"],
        down=0.4,
    )
    pen.fill(
        at([(back, 0.27), (back, 0.37), (front - 0.1 * slant, 0.37), (front, 0.27)]), colour=band
    )
    end = front - slant - (0.3 if slant else 0.1)
    pace = rng.uniform(0.2, 0.26)
    panes = [
        at(box(x, 0.54, x + 0.75 * pace, 0.80)) for x in np.arange(back + 0.3, end - pace, pace)
    ]
    if panes:
        pen.fill(*panes, colour=glass, down=0.7)
    pen.fill(at(box(back + 0.08, 0.2, back + 0.24, 0.84)), colour=mix(body, band, 0.5) * 0.85)
    pen.fill(at(box(back + 0.11, 0.54, back + 0.21, 0.80)), colour=glass)
    if slant:
        shield = [
            (front - slant + 0.02, 0.86),
            (front - 0.38 * slant, 0.56),
            (front - slant - 0.2, 0.56),
            (front - slant - 0.2, 0.86),
        ]
        pen.fill(at(shield), colour=glass, down=0.6)
        pen.fill(at(oval(front - 0.06 - 0.08 * slant, 0.40, 0.05, 0.04)), colour=(1.0, 0.96, 0.8))


def _front(pen: Pen, place: Place, half: float, colours: dict[str, np.ndarray]) -> None:
    """Draw the face of a train and its flank, which recedes; half is half its width."""
    rng = pen.canvas.rng
    at = frame(place.x, place.y, half)
    high = rng.uniform(2.1, 2.6)
    pen.shadow(oval(place.x, place.y, 1.25 * half, 0.2 * half), strength=1.8, softness=0.1 * half)
    _flank(pen, place, half, high, colours)
    body, band = colours["body"], colours["band"]
    glass = mix(GLASS, pen.canvas.light.zenith, 0.2)
    round_top = rng.choice([0.78, 0.92])
    face = [
        (-0.92, 0.22),
        (-1.0, 0.9),
        (-0.98, high - 0.45),
        (-round_top, high - 0.1),
        (-0.45, high),
    ]
    outline = [*face, *[(-x, y) for x, y in reversed(face)]]
    pen.fill(at(outline), colour=body, across=0.2, down=0.25)
    pen.fill(at(box(-0.85, 0.02, 0.85, 0.26)), colour=(0.16, 0.16, 0.18))
    pen.fill(at([(-0.97, 0.55), (-1.0, 0.85), (1.0, 0.85), (0.97, 0.55)]), colour=band)
    top, sill = high - 0.35, high * rng.uniform(0.5, 0.6)
    panes = [
        at([(s * 0.82, sill), (s * 0.76, top), (s * 0.05, top), (s * 0.05, sill)]) for s in (-1, 1)
    ]
    if rng.random() < 0.5:
        panes = [at([(-0.84, sill), (-0.74, top), (0.74, top), (0.84, sill)])]
    pen.fill(*panes, colour=glass, down=0.8)
    pen.fill(
        at([(-0.5, sill), (-0.25, top), (0.0, top), (-0.25, sill)]),
        colour=glass * 1.8,
        opacity=0.35,
    )
    pen.fill(at(box(-0.35, top + 0.06, 0.35, top + 0.2)), colour=(0.95, 0.70, 0.2))
    for side in (-1, 1):
        pen.fill(at(oval(side * 0.66, 0.70, 0.15, 0.12)), colour=(1.0, 0.97, 0.84))
    pen.fill(at(oval(0, high - 0.08, 0.1, 0.07)), colour=(1.0, 0.97, 0.84))


def _flank(
    pen: Pen, place: Place, half: float, high: float, colours: dict[str, np.ndarray]
) -> None:
    """Draw the side of the train, whose edges run to the vanishing point."""
    if place.vanishing is None:
        x0, y0 = place.x + pen.canvas.rng.choice([-3, 3]) * half, place.y - high * half
    else:
        x0, y0 = place.vanishing
    side = float(np.sign(x0 - place.x)) or 1.0

    def recede(x: float, y: float, share: float) -> tuple[float, float]:
        foot = np.array([place.x + x * half, place.y - y * half])
        return tuple(foot + share * (np.array([x0, y0]) - foot))

    def panel(low: float, top: float, start: float, end: float) -> list[tuple[float, float]]:
        corners = [(low, start), (top, start), (top, end), (low, end)]
        return [recede(0.97 * side, y, share) for y, share in corners]

    pen.fill(
        [
            *panel(high - 0.3, high - 0.3, 0, 0.62)[1:3],
            recede(-0.4 * side, high, 0.62),
            recede(-0.4 * side, high, 0),
        ],
        colour=colours["roof"] * 0.9,
    )
    pen.fill(panel(0.15, high - 0.3, 0, 0.62), colour=colours["body"] * 0.68)
    pen.fill(panel(0.55, 0.85, 0, 0.62), colour=colours["band"] * 0.68)
    # Windows of equal length shrink with distance z, at a share 1 - 1 / z of the way.
    ends = 1 + 0.24 * np.arange(1, 7)
    panes = [panel(0.52 * high, 0.74 * high, 1 - 1 / (z - 0.2), 1 - 1 / (z - 0.05)) for z in ends]
    pen.fill(*panes, colour=np.multiply(GLASS, 0.9))
