"""Near cells, and the affinities between cells of a boundary map: what the paths between cross.

A pair of cells has affinity 1 minus the largest boundary probability on the path between them
(IRN, Ahn et al. 2019; dissertation eq. 2.6). Paths are plain arrays, so that the training
loss (`wsss.losses.irn`) uses the same ones.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np


@cache
def path_groups(radius: int) -> tuple[np.ndarray, ...]:
    """Return the paths to all cells nearer than `radius`, grouped by their number of cells.

    Only one of two opposite directions is listed: straight to the right, or downwards. A path holds
    the cells of the rectangle between its ends whose distance from the straight line is below one
    cell, farthest first: its first cell is the end point, its last is (0, 0). Order and contents
    are those of the official table.

    Args:
        radius: Euclidean distance in cells that an end point stays below, at least 2.

    Returns:
        One integer array (paths, cells, 2) of offsets (dy, dx) per number of cells, ascending.

    Raises:
        ValueError: `radius` is below 2, so that no cell has a neighbour.
    """
    by_length: dict[int, list[np.ndarray]] = {}
    for end in neighbours(radius).tolist():
        path = _path_to(*end)
        by_length.setdefault(len(path), []).append(path)
    groups = tuple(np.stack(by_length[length]) for length in sorted(by_length))
    for group in groups:
        # Every caller gets the same arrays.
        group.flags.writeable = False
    return groups


def neighbours(radius: int) -> np.ndarray:
    """Return the way to every cell nearer than `radius`, in one of two opposite directions.

    Args:
        radius: Euclidean distance in cells, at least 2.

    Returns:
        Integers (pairs, 2), (dy, dx): those straight to the right, then those downwards.

    Raises:
        ValueError: `radius` is below 2, so that no cell has a neighbour.
    """
    if radius < 2:
        raise ValueError(
            f"radius is {radius}, but paths need at least 2 cells; raise it to 2 or more"
        )
    right = [(0, dx) for dx in range(1, radius)]
    below = [(dy, dx) for dy in range(1, radius) for dx in range(1 - radius, radius)]
    return np.array(right + [(dy, dx) for dy, dx in below if dy**2 + dx**2 < radius**2])


def _path_to(dy: int, dx: int) -> np.ndarray:
    ys, xs = np.meshgrid(np.arange(dy + 1), np.arange(min(dx, 0), max(dx, 0) + 1), indexing="ij")
    cells = np.stack([ys.ravel(), xs.ravel()], axis=1)
    across = (dy * cells[:, 1] - dx * cells[:, 0]) ** 2
    near = cells[across < dy**2 + dx**2]
    return near[np.argsort(-np.abs(near).sum(axis=1), kind="stable")]


def end_points(groups: Sequence[np.ndarray]) -> np.ndarray:
    """Return the end points (paths, 2), (dy, dx), of all paths in the order of their groups."""
    return np.concatenate([group[:, 0] for group in groups])


def source_shape(groups: Sequence[np.ndarray], height: int, width: int) -> tuple[int, int]:
    """Return how many rows and columns of cells have all their end points inside the map.

    They are the rows from 0 and the columns from `reach(groups)`.

    Raises:
        ValueError: The map is too small for any such cell.
    """
    reach_ = reach(groups)
    rows, columns = height - reach_, width - 2 * reach_
    if rows < 1 or columns < 1:
        raise ValueError(
            f"a map of {height} x {width} cells has no cell whose neighbours within radius "
            f"{reach_ + 1} all lie inside it; lower the radius or enlarge the image"
        )
    return rows, columns


def reach(groups: Sequence[np.ndarray]) -> int:
    """Return the largest coordinate of an end point: `radius - 1`."""
    return int(np.abs(end_points(groups)).max())


def affinity_from_edge(edge: np.ndarray, groups: Sequence[np.ndarray]) -> np.ndarray:
    """Return 1 minus the largest boundary probability on every path from every source cell.

    Args:
        edge: Boundary probabilities (h, w) in 0..1.
        groups: Paths of `path_groups`.

    Returns:
        Affinities (paths, rows, columns) in 0..1 of the dtype of `edge`; paths in the order of
        `end_points`, source cells as described by `source_shape`.

    Raises:
        ValueError: No cell has all its end points inside the map.
    """
    rows, columns = source_shape(groups, *edge.shape)
    left = reach(groups)
    crossed = np.empty((sum(len(g) for g in groups), rows, columns), edge.dtype)
    for largest, path in zip(crossed, (p for g in groups for p in g), strict=True):
        largest.fill(-np.inf)
        for dy, dx in path:
            start = left + dx
            np.maximum(largest, edge[dy : dy + rows, start : start + columns], out=largest)
    return 1 - crossed
