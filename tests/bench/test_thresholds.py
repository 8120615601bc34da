"""The comparison of ways to choose a threshold, on runs made by hand."""

import numpy as np
import pandas as pd
import pytest

from bench.thresholds import BEST, compare, loss_table
from wsss.store.maps import write_maps
from wsss.store.tables import write_table
from wsss.thresholds.choice import THRESHOLDS


def make_run(root, name, level, best):
    """A run whose maps have the values 0 and `level`, and whose best threshold is `best`."""
    maps = np.zeros((1, 4, 4))
    maps[0, 1:3, 1:3] = level
    folder = root / "results" / "scenes" / "plain" / name
    write_maps(folder / "maps/0.h5", [("a", np.array([0]), maps, (8, 8))], attributes={})
    miou = 0.5 - np.abs(np.array(THRESHOLDS) - best)
    write_table(
        folder / "threshold_curve.csv", pd.DataFrame({"threshold": THRESHOLDS, "miou": miou})
    )


def test_losses_by_hand(tmp_path):
    make_run(tmp_path, "s0/cam", level=0.5, best=0.0)
    make_run(tmp_path, "s1/cam", level=0.5, best=0.2)
    make_run(tmp_path, "s1/advcam", level=0.8, best=0.4)
    table = compare([tmp_path / "results"], fixed=[0.3])
    losses = table.set_index(["random_seed", "localizer", "way"])["loss"]
    # Every threshold below the level parts the values; the lowest is chosen.
    assert losses[0, "cam", "otsu"] == pytest.approx(0)
    assert losses[1, "cam", "otsu"] == pytest.approx(20)
    assert losses[1, "advcam", "otsu"] == pytest.approx(40)
    assert losses[1, "cam", "0.3, set in advance"] == pytest.approx(10)
    assert (table.loc[table["way"] == BEST, "loss"] == 0).all()
    lines = loss_table(table).splitlines()
    assert "| results | all | 3 | otsu | 0 | 30.0 | 20.00 | 40.00 | 0.00, 30.00 |" in lines
    assert "| results | advcam | 1 | otsu | 0 | 10.0 | 40.00 | 40.00 | 40.00 |" in lines


def test_runs_without_contrast_are_left_out(tmp_path, caplog):
    make_run(tmp_path, "s0/cam", level=0.5, best=0.2)
    make_run(tmp_path, "s1/cam", level=0.0, best=0.2)
    table = compare([tmp_path / "results"], fixed=[])
    assert set(table["random_seed"]) == {0}
    assert "s1/cam is left out: its maps have no contrast" in caplog.text


def test_refuses(tmp_path):
    with pytest.raises(ValueError, match="no maps of a run there; name results folders"):
        compare([tmp_path], fixed=[])
    make_run(tmp_path, "s0/cam", level=0.5, best=0.2)
    with pytest.raises(ValueError, match=r"has no threshold 0\.155, which .* needs: add it to"):
        compare([tmp_path / "results"], fixed=[0.155])
