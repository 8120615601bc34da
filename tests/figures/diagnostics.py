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
