"""Random walk of localization maps over the cells of an image, along their affinities (PSA, IRN).

The transition matrix has a few entries per cell, so it is kept sparse and applied to the maps
again and again: time and memory are linear in the number of cells. The official code squares a
dense matrix `exp_times` times, which is the same product in another order.
"""

import numpy as np
from scipy import sparse

from wsss.refine.affinity import affinity_from_edge, end_points, path_groups, reach


def spread(
    maps: np.ndarray, affinity: np.ndarray, offsets: np.ndarray, *, beta: float, exp_times: int
) -> np.ndarray:
    """Return maps (n, h, w) after 2 ** exp_times steps of the walk, float32; n may be 0.

    Args:
        maps: Values (n, h, w), >= 0.
        affinity: As in `transition_matrix`, and so are the following.
        offsets: Integers (pairs, 2).
        beta: Exponent of the affinities.
        exp_times: Says how many steps the walk takes.
    """
    if len(maps) == 0:
        return maps.astype(np.float32)
    step = transition_matrix(affinity, offsets, beta=beta)
    walked = [_walk(step, row, 2**exp_times) for row in maps.reshape(len(maps), -1)]
    return np.stack(walked).astype(np.float32).reshape(maps.shape)


def transition_matrix(
    affinity: np.ndarray, offsets: np.ndarray, *, beta: float
) -> sparse.dia_array:
    """Return the matrix whose product with a map (cells,) is one step of the walk.

    Row i holds the affinities of cell i to its neighbours, and 1 to itself, to the power `beta` and
    divided by their sum (Ahn and Kwak 2018; IRN, Ahn et al. 2019): the transpose of the official
    matrix, which multiplies from the right. Stored by diagonals, one per neighbour, whose products
    run about four times as fast as those of compressed rows.

    Args:
        affinity: Of each cell to its neighbours in one of two opposite directions (pairs, h, w), in
            0..1; 0 where the neighbour is outside, so that nothing walks out of the image.
        offsets: Ways (pairs, 2), (dy, dx), to these neighbours.
        beta: Exponent of the affinities.

    Returns:
        Float64 array (h * w, h * w): in float32, 256 products drift by 1e-4 of a value.
    """
    _, height, width = affinity.shape
    powers = affinity.reshape(len(affinity), -1).astype(np.float64) ** beta
    weights = _symmetric(powers, offsets @ (width, 1))
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
    """Return the maps after 2 ** exp_times steps of the walk that boundaries hold back (IRN).

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
    groups = path_groups(radius)
    margin = reach(groups)
    edge = edge.astype(np.float64)
    # Cells outside count as boundary, so that paths to them have affinity zero.
    padded = np.pad(edge, ((0, margin), (margin, margin)), constant_values=1.0)
    return spread(
        maps.astype(np.float64) ** map_exponent * (1 - edge),
        affinity_from_edge(padded, groups),
        end_points(groups),
        beta=beta,
        exp_times=exp_times,
    )


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
