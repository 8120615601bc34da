"""Small made-up tables with the columns of the diagnostics' own."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tests.figures.synthetic import CHAINS


def runs(seeds: int, depth: int) -> Iterator[dict[str, Any]]:
    """The chain columns of every run of the chains, as far as a kind sees them."""
    names = ("dataset", "classifier", "localizer")[:depth]
    for chain in dict.fromkeys(chain[:depth] for chain in CHAINS.values()):
        for seed in range(seeds):
            yield {**dict(zip(names, chain, strict=True)), "random_seed": seed}


def amplification_table(seeds: int = 3) -> pd.DataFrame:
    """Ratios that grow, more so outside of the discriminative region."""
    rows = []
    for run in runs(seeds, 3):
        for region, growth in (("discriminative", 0.05), ("non-discriminative", 0.2)):
            for step in range(6):
                middle = 1 + growth * step
                quantiles = {f"q{q:02d}": middle * (0.5 + q / 100) for q in (5, 25, 50, 75, 95)}
                start = {"step": step, "region": region, "cells": 50, "mean": middle}
                rows.append({**run, **start, **quantiles})
    return pd.DataFrame(rows).astype({"step": np.int64})


def quality_table(seeds: int = 3) -> pd.DataFrame:
    """Seeds that get better for some steps, and noisier."""
    rng = np.random.default_rng(0)
    rows = []
    for run in runs(seeds, 3):
        level = 0.4 + 0.02 * rng.standard_normal()
        for step in range(8):
            miou = level + 0.02 * step - 0.002 * step**2
            noise = {"noise": 0.3 + 0.02 * step, "noise_of_all": 0.1 + 0.01 * step}
            rows.append({**run, "step": step, "threshold": 0.2, "miou": miou, **noise,
                         "num_images": 100})  # fmt: skip
    return pd.DataFrame(rows)


def landscape_table(seeds: int = 3) -> pd.DataFrame:
    """A loss that an attack raises steeply."""
    axis = np.linspace(-0.1, 0.1, 9)
    return pd.DataFrame(
        [
            {**run, "climb": a, "random": b, "loss": np.exp(-20 * a) + 10 * b**2, "num_images": 2}
            for run in runs(seeds, 2)
            for a in axis
            for b in axis
        ]
    )


def trajectory_table(seeds: int = 3) -> pd.DataFrame:
    """Two clouds, and one image of each that leaves its own."""
    rng = np.random.default_rng(0)
    rows = []
    for run in runs(seeds, 3):
        for centre, name in ((-10, "bird"), (10, "cat")):
            places = centre + rng.standard_normal((30, 2))
            still = [(f"{name}{n}", 0, 0, *place) for n, place in enumerate(places)]
            climb = [(f"{name}0", 1, step, centre + step, centre) for step in range(6)]
            names = ("image_id", "climbs", "step", "x", "y")
            rows += [
                {**run, "class_name": name, **dict(zip(names, row, strict=True))}
                for row in still + climb
            ]
    return pd.DataFrame(rows)


def bottleneck_table(seeds: int = 3) -> pd.DataFrame:
    """Ratios that fall by layer and rise by step, and two examples of the first seed's maps."""
    rng = np.random.default_rng(0)
    nothing = {"layer": np.nan, "iteration": np.nan, "region": "", "example": np.nan,
               "row": np.nan, "column": np.nan}  # fmt: skip
    rows = []
    for seed in range(seeds):
        start = {"random_seed": seed, **nothing}
        rows.append({**start, "quantity": "accuracy", "value": 0.99})
        for layer, iteration in [*((n, 0) for n in range(1, 7)), *((6, n) for n in range(1, 4))]:
            for level, region in ((0.9, "digit"), (0.8, "mark"), (0.2, "background")):
                value = level - 0.1 * layer + 0.05 * iteration + 0.02 * rng.standard_normal()
                rows.append({**start, "quantity": "ratio", "layer": layer, "iteration": iteration,
                             "region": region, "value": value})  # fmt: skip
        for example in range(2):
            for layer, iteration in [(np.nan, np.nan), (1, 0), (6, 0), (6, 3)]:
                for (row, column), value in np.ndenumerate(rng.random((5, 5))):
                    rows.append({**start, "quantity": "gradient" if layer == layer else "pixel",
                                 "layer": layer, "iteration": iteration, "example": example,
                                 "row": row, "column": column, "value": value})  # fmt: skip
    return pd.DataFrame(rows)


def planes_table(seeds: int = 3) -> pd.DataFrame:
    """Two classes with OoD images beside them."""
    rng = np.random.default_rng(0)
    origins = ("training, own background", "training, elsewhere", "OoD")
    rows = []
    for run in runs(seeds, 2):
        for place, name in enumerate(("train", "bird")):
            for number, origin in enumerate(origins):
                for image in range(4):
                    values = 5 * place + number + 0.3 * rng.standard_normal(4)
                    features = {f"z{n}": value for n, value in enumerate(values)}
                    rows.append({**run, "image_id": f"{origin}{image}", "class_name": name,
                                 "origin": origin, **features})  # fmt: skip
    return pd.DataFrame(rows)
