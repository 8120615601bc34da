"""How time and memory grow with the size of the input: a curve per computation."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bench.peak_memory import peak_memory
from bench.rows import feature_similarity
from bench.rows.random_walk import WALK, prepare
from tests.references.random_walk_squared import random_walk_squared
from wsss.ood.rank import rank_candidates
from wsss.progress import progress
from wsss.refine.random_walk import random_walk

SHARD = 10_000
CLASSES = tuple(f"class {number}" for number in range(20))
RANKING = {"score_threshold": 0.5, "keep_per_class": 5000}


@dataclass(frozen=True)
class Scaling:
    """A computation at several sizes.

    Attributes:
        name: Of the curve.
        unit: What a size counts.
        sizes: Ascending.
        prepare: Makes the inputs of a size.
        work: What is measured, of the inputs.
    """

    name: str
    unit: str
    sizes: tuple[int, ...]
    prepare: Callable[[int], Any]
    work: Callable[[Any], Any]


def _walk_inputs(cells: int) -> Any:
    """Return maps and boundaries of about that many cells, 3 to 4 in shape."""
    height = round((cells * 3 / 4) ** 0.5)
    return prepare(height, round(cells / height))


def _loss_inputs(positions: int) -> Any:
    """Return predictions and colours of that many positions, a square number."""
    return feature_similarity.prepare(round(positions**0.5))


def _score_shards(candidates: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield synthetic scores of candidates, a shard at a time, most of them low."""
    generator = np.random.default_rng(0)
    for start in range(0, candidates, SHARD):
        ids = [f"{number:08d}" for number in range(start, min(start + SHARD, candidates))]
        yield ids, generator.random((len(ids), len(CLASSES)), np.float32) ** 8


SCALINGS = (
    Scaling(
        "Random walk",
        "cells",
        (2_961, 11_750, 47_000, 188_000),
        _walk_inputs,
        lambda inputs: random_walk(*inputs, **WALK),
    ),
    # A dense matrix of 47,000 cells would take 9 GB, and its squares twice that; 11,750 cells take
    # minutes, see the comparison.
    Scaling(
        "Random walk, plain",
        "cells",
        (1_480, 2_961, 5_922),
        _walk_inputs,
        lambda inputs: random_walk_squared(*inputs, **WALK),
    ),
    Scaling(
        "Feature similarity loss",
        "positions",
        (784, 3_136, 12_544, 50_176),
        _loss_inputs,
        feature_similarity.ours,
    ),
    # All pairs of 12,544 positions and 20 classes would take 13 GB, several times over.
    Scaling(
        "Feature similarity loss, plain",
        "positions",
        (784, 1_600, 3_136),
        _loss_inputs,
        feature_similarity.plain,
    ),
    Scaling(
        "OoD ranking, 20 classes",
        "candidates",
        (90_000, 900_000, 9_000_000),
        _score_shards,
        partial(rank_candidates, classes=CLASSES, **RANKING),
    ),
)


def find_scaling(name: str) -> Scaling:
    """Return the curve of this name.

    Raises:
        KeyError: There is none.
    """
    known = {scaling.name: scaling for scaling in SCALINGS}
    if name not in known:
        raise KeyError(f"no curve is called {name!r}; there are {', '.join(known)}")
    return known[name]


def measure_scaling() -> pd.DataFrame:
    """Return per curve and size the seconds and the peak memory, MiB."""
    points = [(scaling, size) for scaling in SCALINGS for size in scaling.sizes]
    rows = []
    for scaling, size in progress(points, total=len(points), description="scaling", unit="points"):
        inputs = scaling.prepare(size)
        started = time.perf_counter()
        scaling.work(inputs)
        rows.append(
            {
                "curve": scaling.name,
                "unit": scaling.unit,
                "size": size,
                "seconds": time.perf_counter() - started,
                "mib": peak_memory("scaling", scaling.name, str(size)),
            }
        )
    return pd.DataFrame(rows)
