"""Chosen thresholds as tables."""

import numpy as np
import pytest

from wsss.store.rows import write_records
from wsss.store.tables import read_table
from wsss.store.thresholds import CHOSEN_FROM, read_thresholds, write_thresholds

THRESHOLDS = (0.0, 0.29, 0.3)


def write(path, *, chosen, curves=None):
    curves = curves or {way: np.array([0.1, 0.5, 0.2]) for way in chosen}
    place = {"dataset": "scenes", "random_seed": 0, "num_images": 7}
    write_thresholds(path, curves, thresholds=THRESHOLDS, chosen=chosen, place=place)


def test_the_chosen_ones_come_back_and_the_table_says_by_what(tmp_path):
    path = tmp_path / "t.csv"
    write(path, chosen={"otsu": 0.29, "expected_iou": 0.0})
    assert read_thresholds(path) == {"otsu": 0.29, "expected_iou": 0.0}
    table = read_table(path, ["num_images", "score", "chosen_from"])
    assert len(table) == 6 and set(table["num_images"]) == {7}
    assert set(table["chosen_from"]) == {CHOSEN_FROM} and "without ground truth" in CHOSEN_FROM
    assert table[table["method"] == "otsu"]["score"].tolist() == [0.1, 0.5, 0.2]


def test_a_way_that_chose_none_is_left_out(tmp_path):
    curves = {"otsu": np.full(3, np.nan), "expected_iou": np.array([0.1, 0.5, 0.2])}
    write(tmp_path / "t.csv", chosen={"otsu": None, "expected_iou": 0.3}, curves=curves)
    assert read_thresholds(tmp_path / "t.csv") == {"expected_iou": 0.3}


def test_other_tables_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    rows = [{"method": "otsu", "threshold": 0.1 * n, "chosen": 1} for n in (1, 2)]
    write_records(path, rows)
    with pytest.raises(ValueError, match="has two chosen thresholds of one way"):
        read_thresholds(path)
    write_records(path, [{"method": "otsu", "threshold": "x", "chosen": 1}])
    with pytest.raises(ValueError, match="is no table of thresholds"):
        read_thresholds(path)
    write_records(path, [{"method": "otsu", "threshold": 0.1}])
    with pytest.raises(ValueError, match=r"lacks the column\(s\) chosen"):
        read_thresholds(path)
    with pytest.raises(ValueError, match="does not exist; run the step"):
        read_thresholds(tmp_path / "none.csv")
