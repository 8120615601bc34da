"""IRN's random walk: sparse products, against squarings of a dense matrix."""

from typing import NamedTuple

import numpy as np

from bench.compare import Comparison, largest_difference
from bench.inputs import HEIGHT, WIDTH
from tests.references.random_walk_squared import random_walk_squared
from wsss.refine.random_walk import random_walk

WALK = {"radius": 5, "beta": 10.0, "exp_times": 8, "map_exponent": 1.0}


class Inputs(NamedTuple):
    """Maps (n, h, w) and boundary probabilities (h, w)."""

    maps: np.ndarray
    edge: np.ndarray


def comparisons() -> list[Comparison]:
    """Return the walk of a photograph's maps."""
    return [
        Comparison(
            name="Random walk",
            inputs="2 maps of 94 x 125 cells, radius 5, 256 steps; plain: a dense matrix in "
            "float32, squared 8 times. It loses digits there, hence the tolerance",
            prepare=prepare,
            ours=lambda inputs: random_walk(*inputs, **WALK),
            plain=lambda inputs: random_walk_squared(*inputs, **WALK),
            difference=largest_difference,
            tolerance=1e-3,
            goal=100,
            plain_repeats=1,
        )
    ]


def prepare(height: int = -(-HEIGHT // 4), width: int = -(-WIDTH // 4)) -> Inputs:
    """Return smooth maps and boundaries, as a network gives them."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    near = [
        np.exp(-((rows - y * height) ** 2 + (columns - x * width) ** 2) / (0.03 * height * width))
        for y, x in ((0.4, 0.3), (0.6, 0.7))
    ]
    edge = 0.5 + 0.5 * np.sin(rows / 4) * np.sin(columns / 5)
    return Inputs(np.stack(near).astype(np.float32), (0.9 * edge**4).astype(np.float32))
