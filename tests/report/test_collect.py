"""Joining tables."""

from pathlib import Path

import pandas as pd
import pytest

from wsss.report.collect import chain_of_path, collect_tables, collect_training
from wsss.store.tables import write_table


def test_chain_of_path() -> None:
    assert chain_of_path(Path("results/scenes/wood/s2/train.csv")) == (["scenes", "wood"], 2)
    deep = Path("a/results/voc/wood/s0/cam/irn/deeplab_v2/train.csv")
    assert chain_of_path(deep) == (["voc", "wood", "cam", "irn", "deeplab_v2"], 0)
    with pytest.raises(ValueError, match="not the path of a chain"):
        chain_of_path(Path("results/wood/train.csv"))


def test_training_logs_get_their_chain(tmp_path: Path) -> None:
    for seed in (0, 1):
        path = tmp_path / "results" / "scenes" / "wood" / f"s{seed}" / "train.csv"
        write_table(path, pd.DataFrame({"step": [0, 10], "loss": [1.0, 0.5]}))
    table = collect_training(list(tmp_path.rglob("train.csv")))
    assert list(table["random_seed"]) == [0, 0, 1, 1]
    assert set(table["dataset"]) == {"scenes"} and set(table["localizer"]) == {""}


def test_tables_are_joined_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_table(tmp_path / f"{name}.csv", pd.DataFrame({"classifier": [name], "value": [1.0]}))
    paths = [tmp_path / "b.csv", tmp_path / "a.csv"]
    assert list(collect_tables(paths, ["value"])["classifier"]) == ["a", "b"]
    with pytest.raises(ValueError, match="no table to collect"):
        collect_tables([], ["value"])
