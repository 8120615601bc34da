"""Rows and tables are one kind of file; tests/store/test_tables.py holds what is common."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from wsss.store.rows import read_rows, write_records, write_rows
from wsss.store.tables import write_table

ROWS = [
    ("000123", 1, 0.1, "a,b"),
    ("7", -2, float("nan"), 'say "rail"'),
    ("", 3, np.float64(1 / 3), None),
    ("x", 4, np.float32("nan"), "two\nlines"),
]
COLUMNS = ["image_id", "count", "value", "labels"]


def test_rows_and_tables_have_the_same_bytes(tmp_path):
    write_rows(tmp_path / "rows.csv", COLUMNS, ROWS)
    write_table(tmp_path / "table.csv", pd.DataFrame(ROWS, columns=COLUMNS))
    assert (tmp_path / "rows.csv").read_bytes() == (tmp_path / "table.csv").read_bytes()


def test_the_columns_asked_for_come_back_as_text(tmp_path):
    write_rows(tmp_path / "a.csv", COLUMNS, ROWS)
    assert read_rows(tmp_path / "a.csv", ["labels", "image_id"]) == [
        ("a,b", "000123"), ('say "rail"', "7"), ("", ""), ("two\nlines", "x"),
    ]  # fmt: skip


def test_records_are_rows_under_their_keys(tmp_path):
    write_records(tmp_path / "a.csv", [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 1e-9}])
    assert (tmp_path / "a.csv").read_text() == "step,loss\n1,0.5\n2,1e-09\n"


@pytest.mark.parametrize("records", [[], [{"a": 1}, {"a": 1, "b": 2}]])
def test_records_of_different_keys_are_refused(tmp_path, records):
    with pytest.raises(ValueError, match=r"a\.csv: records need the same keys"):
        write_records(tmp_path / "a.csv", records)
    assert not list(tmp_path.iterdir())


def test_a_row_of_another_length_and_repeated_columns_are_refused(tmp_path):
    with pytest.raises(ValueError, match="a row has 1 cells, not 2"):
        write_rows(tmp_path / "a.csv", ["a", "b"], [(1,)])
    with pytest.raises(ValueError, match="column names repeat"):
        write_rows(tmp_path / "a.csv", ["a", "a"], [])


def test_a_missing_column_is_named(tmp_path):
    write_rows(tmp_path / "a.csv", COLUMNS, ROWS)
    with pytest.raises(ValueError, match=r"a\.csv lacks the column\(s\) score; it has image_id"):
        read_rows(tmp_path / "a.csv", ["score"])


def test_the_index_and_the_trainings_do_without_pandas():
    code = "import sys, wsss.data.index, wsss.data.loading, wsss.train.networks, wsss.store.maps; "
    code += "sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
