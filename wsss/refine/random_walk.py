"""Random walk of localization maps over the cells of an image, held back by boundaries (IRN).

The transition matrix has a few entries per cell, so it is kept sparse and applied to the maps
again and again: time and memory are linear in the number of cells. The official code squares a
dense matrix `exp_times` times, which is the same product in another order.
"""

import numpy as np
from scipy import sparse

from wsss.refine.affinity import affinity_from_edge, end_points, path_groups, reach


def transition_matrix(edge: np.ndarray, *, radius: int, beta: float) -> sparse.dia_array:
    """Return the matrix whose product with a map (cells,) is one step of the walk.

    Row i holds the affinities of cell i to its neighbours, and 1 to itself, to the power `beta` and
    divided by their sum (IRN, Ahn et al. 2019): the transpose of the official matrix,
    which multiplies from the right. Nothing walks out of the image. Stored by diagonals, one per
    neighbour, whose products run about four times as fast as those of compressed rows.

    Args:
        edge: Boundary probabilities (h, w) in 0..1.
        radius: Distance in cells below which two cells are neighbours.
        beta: Exponent of the affinities.

    Returns:
        Float64 array (h * w, h * w): in float32, 256 products drift by 1e-4 of a value.
    """
    height, width = edge.shape
    groups = path_groups(radius)
    margin = reach(groups)
    # Cells outside count as boundary, so that paths to them have affinity zero.
    padded = np.pad(edge, ((0, margin), (margin, margin)), constant_values=1.0)
    affinity = (
        affinity_from_edge(padded.astype(np.float64), groups).reshape(-1, height * width) ** beta
    )
    weights = _symmetric(affinity, end_points(groups) @ (width, 1))
    sums = weights @ np.ones(height * width)
    for offset, values in zip(weights.offsets, weights.data, strict=True):
        # Entry j of a diagonal stands in row j - offset.
        rows = slice(max(-offset, 0), height * width - max(offset, 0))
        columns = slice(max(offset, 0), height * width - max(-offset, 0))
        values[columns] /= sums[rows]
    return weights


def _symmetric(affinity: np.ndarray, offsets: np.ndarray) -> sparse.dia_array:
    cells = affinity.shape[1]
    diagonals = {0: np.ones(cells)}
    for offset, values in zip(offsets.tolist(), affinity, strict=True):
        # On a map narrower than the radius, two neighbours (one of them outside) share an offset.
        if 0 < offset < cells:
            diagonals.setdefault(-offset, np.zeros(cells))[:] += values
            diagonals.setdefault(offset, np.zeros(cells))[offset:] += values[:-offset]
    return sparse.dia_array(
        (np.stack(list(diagonals.values())), list(diagonals)), shape=(cells, cells)
    )


def random_walk(
    maps: np.ndarray,
    edge: np.ndarray,
    *,
    radius: int,
    beta: float,
    exp_times: int,
    map_exponent: float,
) -> np.ndarray:
    """Return the maps after 2 ** exp_times steps of the walk.

    Before the walk, maps are raised to `map_exponent` and weakened by (1 - edge).
    The exponent differs between the official codes: 1.0 in IRN, 1.5 in AdvCAM, 1.3 by default in
    RIB, an option in W-OoD.

    Args:
        maps: Localization maps (n, h, w), >= 0; n may be 0.
        edge: Boundary probabilities (h, w) in 0..1 at the same resolution.
        radius: Distance in cells below which two cells are neighbours.
        beta: Exponent of the affinities.
        exp_times: The walk takes 2 ** exp_times steps.
        map_exponent: Exponent of the maps.

    Returns:
        Float32 maps (n, h, w), >= 0.

    Raises:
        ValueError: Maps and boundary differ in shape, or values are outside their range.
    """
    _check(maps, edge)
    if len(maps) == 0:
        return maps.astype(np.float32)
    step = transition_matrix(edge, radius=radius, beta=beta)
    weakened = maps.astype(np.float64) ** map_exponent * (1 - edge.astype(np.float64))
    walked = [_walk(step, row, 2**exp_times) for row in weakened.reshape(len(maps), -1)]
    return np.stack(walked).astype(np.float32).reshape(maps.shape)


def _walk(step: sparse.dia_array, values: np.ndarray, steps: int) -> np.ndarray:
    # One column at a time: scipy multiplies a matrix of a few columns more slowly than the columns.
    for _ in range(steps):
        values = step @ values
    return values


def _check(maps: np.ndarray, edge: np.ndarray) -> None:
    if maps.ndim != 3 or edge.ndim != 2 or maps.shape[1:] != edge.shape:
        raise ValueError(
            f"maps have shape {maps.shape}, but the boundary map {edge.shape}: "
            "resize the maps (n, h, w) to the boundary map (h, w) first"
        )
    if not (np.all(edge >= 0) and np.all(edge <= 1)):
        raise ValueError("the boundary map must hold probabilities in 0..1: apply the sigmoid")
    if not np.all(maps >= 0):
        raise ValueError(
            "localization maps must be >= 0 and not NaN: apply the ReLU before the walk"
        )
