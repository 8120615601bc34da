"""Reader of the numeric cases of the official implementations (../shared/golden).

The cases do not belong to the repository: a test that asks for an absent one is skipped.
"""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "golden"


@dataclass(frozen=True)
class Case:
    """One golden case: its description and its arrays."""

    name: str
    json: dict
    arrays: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the array `name` (`in_*` or `out_*`)."""
        return self.arrays[name]


def load(name: str) -> Case:
    """Return a golden case, or skip the calling test where the cases are absent."""
    description = FOLDER / f"{name}.json"
    if not description.exists():
        pytest.skip(f"golden case {name} needs ../shared/golden, which is not here")
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
        return Case(name, json.loads(description.read_text()), {k: arrays[k] for k in arrays.files})


def fill_weights(
    named_shapes: Mapping[str, Sequence[int]], weights: Mapping
) -> dict[str, np.ndarray]:
    """Return the case's weights for official tensor names and shapes, by the published rule.

    Every tensor has a generator of its own, seeded by its name, so the order does not matter.
    """
    filled = {}
    for name, shape in named_shapes.items():
        if name.endswith(("weight", "bias", "running_mean", "running_var")):
            filled[name] = _fill(name, tuple(shape), weights)
    return filled


def _fill(name: str, shape: tuple[int, ...], weights: Mapping) -> np.ndarray:
    generator = np.random.Generator(
        np.random.PCG64(weights["seed"] * 2**32 + zlib.crc32(name.encode()))
    )
    if name.endswith("running_var"):
        return (0.5 + generator.random(shape)).astype(np.float32)
    values = generator.standard_normal(shape)
    if name.endswith("running_mean"):
        return (0.1 * values).astype(np.float32)
    matching = [o for o in weights["overrides"] if re.fullmatch(o["pattern"], name)]
    for override in matching:
        if "std" in override:
            return (override["std"] * values).astype(np.float32)
    if len(shape) >= 2:
        values = values * np.sqrt(2.0 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        values = 1.0 + 0.1 * values
    else:
        values = 0.1 * values
    for override in matching:
        if "gain" in override:
            values = values * override["gain"]
    return values.astype(np.float32)


def assert_close(case: Case, output: str, value: np.ndarray, *, float64: bool = False) -> None:
    """Check `value` against a golden output by the tolerance that the case states for it."""
    expected = case[output]
    value = np.asarray(value)
    assert value.shape == expected.shape, f"{case.name}/{output}: {value.shape} {expected.shape}"
    rules = case.json["outputs"][output]
    if "max_mismatch_fraction" in rules:
        share = float(np.mean(value != expected))
        assert share <= rules["max_mismatch_fraction"], f"{case.name}/{output}: {share} differ"
        return
    atol = rules["atol_if_run_in_float64"] if float64 else rules["atol"]
    np.testing.assert_allclose(
        value, expected, atol=atol, rtol=rules.get("rtol", 0.0), err_msg=f"{case.name}/{output}"
    )
