"""The curves' mechanics at small sizes; they are measured by `make bench`."""

import pandas as pd
import pytest

from bench import scaling
from bench.scaling import SCALINGS, find_scaling, measure_scaling
from bench.table import draw_scaling, scaling_table


def test_curves_have_names_and_ascending_sizes():
    assert len({one.name for one in SCALINGS}) == len(SCALINGS)
    for one in SCALINGS:
        assert list(one.sizes) == sorted(set(one.sizes)) and find_scaling(one.name) is one
    with pytest.raises(KeyError, match="Random walk"):
        find_scaling("none")


def test_the_walk_has_as_many_cells_as_asked_for():
    maps, edge = find_scaling("Random walk").prepare(11_750)
    assert maps.shape == (2, 94, 125) and edge.shape == (94, 125)


def test_shards_of_scores_cover_every_candidate_once():
    sizes = [
        (len(ids), probs.shape) for ids, probs in find_scaling(SCALINGS[-1].name).prepare(25_000)
    ]
    assert sizes == [(10_000, (10_000, 20)), (10_000, (10_000, 20)), (5_000, (5_000, 20))]


def test_every_size_is_a_row_of_the_table_and_the_figure(tmp_path, monkeypatch):
    seen = []
    toy = scaling.Scaling(
        "sum", "numbers", (3, 30), range, lambda numbers: seen.append(sum(numbers))
    )
    monkeypatch.setattr(scaling, "SCALINGS", (toy,))
    monkeypatch.setattr(scaling, "peak_memory", lambda kind, name, size: 2.0 * int(size))
    table = measure_scaling()
    assert seen == [3, 435]
    assert table[["curve", "size", "mib"]].to_numpy().tolist() == [["sum", 3, 6], ["sum", 30, 60]]
    assert "| sum | 30 numbers |" in scaling_table(table)
    draw_scaling(tmp_path / "scaling.png", pd.concat([table, table.assign(unit="others")]), "a box")
    assert (tmp_path / "scaling.png").stat().st_size > 5000
