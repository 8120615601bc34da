"""Branches with leaves or blossom, the spurious cue of birds."""

import numpy as np

from wsss.data.scenes.canvas import Canvas, Pen, Place
from wsss.data.scenes.colours import Colour, pick, vary
from wsss.data.scenes.scenery import blurred_leaves, sky
from wsss.data.scenes.shapes import bend, frame, oval, ribbon

_LEAVES = (
    (0.22, 0.44, 0.14),
    (0.36, 0.52, 0.16),
    (0.66, 0.42, 0.10),
    (0.14, 0.34, 0.18),
    (0.60, 0.22, 0.10),
)
_LEAF = np.array([(0, 0), (0.3, 0.22), (0.65, 0.2), (1, 0), (0.65, -0.2), (0.3, -0.22)], np.float32)


def draw(canvas: Canvas) -> list[Place]:
    """Draw two to four branches; a bird may perch on any of them."""
    rng = canvas.rng
    leaf = pick(rng, _LEAVES, 0.03)
    if rng.random() < 0.45:
        sky(canvas, canvas.height)
    else:
        blurred_leaves(canvas, [vary(rng, 0.55 * leaf, 0.05), vary(rng, 0.45 * leaf + 0.3, 0.08)])
    bark = pick(rng, [(0.36, 0.27, 0.20), (0.30, 0.26, 0.24), (0.46, 0.40, 0.36)])
    blossom = pick(rng, [(0.96, 0.78, 0.84), (0.97, 0.95, 0.92)]) if rng.random() < 0.2 else None
    pen = canvas.pen(spurious=True)
    places: list[Place] = []
    for _ in range(int(rng.integers(2, 5))):
        line = _branch(canvas, pen, bark)
        _twigs(canvas, pen, line, bark, leaf, blossom)
        inside = [p for p in line[2:-1] if _inside(canvas, p)]
        places += [Place(float(x), float(y), surface="perch") for x, y in inside]
    return places


def _inside(canvas: Canvas, point: np.ndarray) -> bool:
    """Tell whether a bird on this point would lie within the picture."""
    across, down = point[0] / canvas.width, point[1] / canvas.height
    return bool(0.25 < across < 0.75 and 0.56 < down < 0.92)


def _branch(canvas: Canvas, pen: Pen, bark: Colour) -> np.ndarray:
    """Draw one branch that enters at a side, lit from above; returns its middle line."""
    rng, width, height = canvas.rng, canvas.width, canvas.height
    left = rng.random() < 0.5
    root = np.array([-6.0 if left else width + 6.0, height * rng.uniform(0.35, 1.05)])
    reach = width * rng.uniform(0.6, 1.15)
    tip = np.array([reach if left else width - reach, root[1] - height * rng.uniform(-0.1, 0.35)])
    line = bend(root, tip, sag=rng.uniform(-0.08, 0.08), steps=10)
    line[1:-1, 1] += rng.normal(0, 0.008 * canvas.unit, 8)
    thick = canvas.unit * rng.uniform(0.028, 0.06)
    pen.fill(ribbon(line, thick, thick * 0.3), colour=bark, grain=0.08)
    rim = ribbon(line - [0, 0.28 * thick], 0.35 * thick, 0.1 * thick)
    pen.fill(rim, colour=np.asarray(bark) * 1.35, opacity=0.7)
    return line


def _twigs(
    canvas: Canvas,
    pen: Pen,
    line: np.ndarray,
    bark: Colour,
    leaf: np.ndarray,
    blossom: Colour | None,
) -> None:
    """Grow twigs from a branch, with leaves along them and blossom at some ends."""
    rng, unit = canvas.rng, canvas.unit
    leaves: list[np.ndarray] = []
    for _ in range(int(rng.integers(5, 11))):
        start = line[rng.integers(1, len(line))]
        turn = rng.uniform(0, 2 * np.pi)
        end = start + unit * rng.uniform(0.08, 0.2) * np.array([np.cos(turn), np.sin(turn)])
        twig = bend(start, end, sag=rng.uniform(-0.2, 0.2), steps=6)
        pen.fill(ribbon(twig, unit * 0.012, unit * 0.005), colour=np.asarray(bark) * 1.05)
        for point in twig[1:].repeat(2, axis=0)[: rng.integers(4, 11)]:
            size, angle = unit * rng.uniform(0.045, 0.085), rng.uniform(0, 2 * np.pi)
            leaves.append(frame(point[0], point[1], size, angle=angle)(_LEAF))
        if blossom is not None:
            ring = oval(end[0], end[1], 0.02 * unit, 0.02 * unit)[::4]
            petals = [oval(x, y, 0.018 * unit, 0.018 * unit) for x, y in ring]
            pen.fill(*petals, colour=blossom)
            pen.fill(oval(end[0], end[1], 0.01 * unit, 0.01 * unit), colour=(0.9, 0.7, 0.25))
    for part in np.array_split(np.arange(len(leaves)), 4):
        if len(part):
            shade = rng.uniform(0.7, 1.4)
            pen.fill(*[leaves[index] for index in part], colour=leaf * shade, across=0.2)
