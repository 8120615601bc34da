"""Outlines: float arrays (n, 2) of x, y, in the local units of a frame or in pixels."""

from collections.abc import Callable, Sequence

import numpy as np

Point = Sequence[float] | np.ndarray
Points = Sequence[Point] | np.ndarray
Frame = Callable[[Points], np.ndarray]

_TURN = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1).astype(np.float32)


def frame(x: float, y: float, size: float, *, mirror: int = 1, angle: float = 0.0) -> Frame:
    """Return the map from local units (x forward, y up) to pixels (x right, y down).

    Args:
        x: where the local origin lies, pixels.
        y: likewise.
        size: pixels per local unit.
        mirror: 1, or -1 to face left.
        angle: radians by which the front is raised.
    """
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    matrix = np.array([[mirror * cos, -sin], [-mirror * sin, -cos]], np.float32)
    origin = np.array([x, y], np.float32)

    def to_pixels(points: Points) -> np.ndarray:
        return np.asarray(points, np.float32).reshape(-1, 2) @ matrix + origin

    return to_pixels


def box(left: float, bottom: float, right: float, top: float) -> np.ndarray:
    """Return the four corners of a rectangle."""
    return np.array([(left, bottom), (left, top), (right, top), (right, bottom)], np.float32)


def oval(x: float, y: float, across: float, up: float, *, angle: float = 0.0) -> np.ndarray:
    """Return an ellipse of the given half axes, turned by angle (radians)."""
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[across * cos, across * sin], [-up * sin, up * cos]], np.float32)
    return _CIRCLE @ matrix + np.array([x, y], np.float32)


def ribbon(line: Points, start: float, end: float) -> np.ndarray:
    """Return the outline of a line that is `start` wide at its beginning and `end` at its end."""
    line = np.asarray(line, np.float32)
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    half = 0.5 * np.linspace(start, end, len(line), dtype=np.float32)[:, None]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) * half
    return np.concatenate([line + normal, (line - normal)[::-1]])


def smooth(outline: Points, *, rounds: int = 2) -> np.ndarray:
    """Return a closed outline with its corners cut (Chaikin), so that it is round."""
    points = np.asarray(outline, np.float32)
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        cut = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1)
        points = cut.reshape(-1, 2)
    return points


def bend(start: Point, end: Point, *, sag: float, steps: int = 9) -> np.ndarray:
    """Return a line from start to end that bulges by `sag` of its length to one side."""
    start, end = np.asarray(start, np.float32), np.asarray(end, np.float32)
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    side = np.array([end[1] - start[1], start[0] - end[0]], np.float32)
    return start + (end - start) * share + side * sag * 4 * share * (1 - share)
