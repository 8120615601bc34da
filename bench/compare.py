"""Two ways of computing the same on the same inputs: equal results, times, peak memory."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.peak_memory import peak_memory


@dataclass(frozen=True)
class Comparison:
    """Our way beside the plain way.

    Attributes:
        name: Of the row.
        inputs: What the plain way is and on what both ran, for the reader of the table.
        prepare: Makes the inputs, the same in every process.
        ours: Our way, of the inputs.
        plain: The plain way, of the inputs.
        difference: How far two results are apart, of (ours, plain).
        tolerance: The largest difference that counts as equal, with a reason in `inputs`.
        goal: Ratio of the times that is aimed at.
        plain_repeats: How often the plain way is timed, if it is too slow for all repeats.
        cost: What is compared instead of the seconds of the whole, of a result, and its unit.
        check: A further difference, of the inputs, that is too slow or too exact to be timed.
    """

    name: str
    inputs: str
    prepare: Callable[[], Any]
    ours: Callable[[Any], Any]
    plain: Callable[[Any], Any]
    difference: Callable[[Any, Any], float]
    tolerance: float
    goal: float
    plain_repeats: int | None = None
    cost: Callable[[Any], float] | None = None
    unit: str = "s"
    check: Callable[[Any], float] | None = None


def largest_difference(ours: Sequence[np.ndarray], plain: Sequence[np.ndarray]) -> float:
    """Return the largest absolute difference between two sequences of arrays."""
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, plain, strict=True))


def measure(comparison: Comparison, *, repeats: int) -> dict[str, Any]:
    """Return a row of the table: medians of `repeats` runs that take turns, and peak memory.

    Turns, because a busy machine is busy for both. The results of the first turn are compared.

    Raises:
        ValueError: The two ways differ by more than the tolerance.
    """
    inputs = comparison.prepare()
    costs: dict[str, list[float]] = {"ours": [], "plain": []}
    difference = 0.0
    for turn in range(repeats):
        results = {}
        for way in ("ours", "plain"):
            if way == "plain" and turn >= (comparison.plain_repeats or repeats):
                continue
            started = time.perf_counter()
            results[way] = getattr(comparison, way)(inputs)
            seconds = time.perf_counter() - started
            costs[way].append(comparison.cost(results[way]) if comparison.cost else seconds)
        if turn == 0:
            difference = comparison.difference(results["ours"], results["plain"])
            if comparison.check:
                difference = max(difference, comparison.check(inputs))
            if not difference <= comparison.tolerance:
                raise ValueError(
                    f"{comparison.name}: the two ways differ by {difference:.3g}, more than "
                    f"{comparison.tolerance:.3g}; times of different results mean nothing"
                )
    ours, plain = (statistics.median(costs[way]) for way in ("ours", "plain"))
    return {
        "row": comparison.name,
        "inputs": comparison.inputs,
        "unit": comparison.unit,
        "ours": ours,
        "plain": plain,
        "ratio": plain / ours,
        "goal": comparison.goal,
        "runs": f"{len(costs['ours'])} / {len(costs['plain'])}",
        "ours_mib": peak_memory("comparison", comparison.name, "ours"),
        "plain_mib": peak_memory("comparison", comparison.name, "plain"),
        "difference": difference,
        "tolerance": comparison.tolerance,
    }
