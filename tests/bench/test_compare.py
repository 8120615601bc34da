"""The benchmark's own mechanics; its rows are measured by `make bench`, not here."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import compare
from bench.compare import Comparison, measure
from bench.matmul import SIDES, matmul_rate
from bench.operations import OperationCounter
from bench.peak_memory import peak_of
from bench.projection import WORK, project
from bench.rows import all_comparisons, find_comparison
from bench.table import (
    chain_table,
    comparison_table,
    draw_ratios,
    projection_table,
    throughput_table,
)
from bench.throughput import STAGES, Clock
from tests.references.random_walk_dense import random_walk_dense
from tests.references.random_walk_squared import random_walk_squared


def toy(**changes):
    options = {
        "name": "toy",
        "inputs": "numbers",
        "prepare": lambda: 3,
        "ours": lambda number: number,
        "plain": lambda number: sum(1 for _ in range(number)),
        "difference": lambda ours, plain: abs(ours - plain),
        "tolerance": 0,
        "goal": 1,
    }
    return Comparison(**(options | changes))


@pytest.fixture
def no_memory(monkeypatch):
    monkeypatch.setattr(compare, "peak_memory", lambda *_: 1.0)


@pytest.mark.usefixtures("no_memory")
def test_a_row_holds_both_ways():
    row = measure(toy(), repeats=3)
    assert row["runs"] == "3 / 3" and row["difference"] == 0
    assert row["ratio"] == pytest.approx(row["plain"] / row["ours"])


@pytest.mark.usefixtures("no_memory")
def test_another_cost_than_time():
    row = measure(toy(plain=lambda number: 2 * number, tolerance=9, cost=float), repeats=2)
    assert (row["ours"], row["plain"], row["ratio"]) == (3, 6, 2)


@pytest.mark.usefixtures("no_memory")
def test_a_slow_plain_way_runs_less_often():
    calls = []
    row = measure(toy(plain=lambda n: calls.append(n) or n, plain_repeats=1), repeats=4)
    assert len(calls) == 1 and row["runs"] == "4 / 1"


@pytest.mark.usefixtures("no_memory")
def test_a_check_that_is_not_timed_counts_as_well():
    apart = toy(check=lambda number: number / 2)
    assert measure(replace(apart, tolerance=2), repeats=2)["difference"] == 1.5
    with pytest.raises(ValueError, match=r"toy: the two ways differ by 1\.5"):
        measure(apart, repeats=1)


@pytest.mark.parametrize("wrong", [4, float("nan")])
def test_times_of_different_results_are_refused(wrong):
    with pytest.raises(ValueError, match="toy: the two ways differ by"):
        measure(toy(plain=lambda _: wrong), repeats=1)


def test_rows_have_names_of_their_own():
    names = [comparison.name for comparison in all_comparisons()]
    assert len(names) == len(set(names)) >= 7
    assert find_comparison(names[0]).name == names[0]
    with pytest.raises(KeyError, match=names[0]):
        find_comparison("none")


def test_peak_memory_sees_what_is_given_back():
    def work(mebibytes):
        np.ones(mebibytes * 2**17).sum()

    assert 190 < peak_of(work, 200) < 260


def test_the_clock_tells_waiting_from_work(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def source():
        for _ in range(3):
            now[0] += 2
            yield ([0, 0], None)

    clock = Clock()
    for _ in clock.watch(source()):
        now[0] += 1
    # The first batch starts the clock; two more were waited for.
    assert (clock.started, clock.waited, clock.images, clock.first) == (2, 4, 4, 2)


def test_the_tables_and_the_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "peak_memory", lambda *_: 1.0)
    table = pd.DataFrame([measure(toy(), repeats=1)])
    assert "| toy |" in comparison_table(table) and "- toy: numbers." in comparison_table(table)
    draw_ratios(tmp_path / "ratios.png", table, "machine")
    assert (tmp_path / "ratios.png").stat().st_size > 5000
    rate = {"stage": "CAM", "images_per_s": 2.0, "waiting": 0.01, "of_matmul_rate": 0.7}
    on_cpu = throughput_table(pd.DataFrame([rate | {"gpu_mib": np.nan}]))
    assert "| CAM | 2 | 1.0% | 70% |\n" in on_cpu and "GPU" not in on_cpu
    on_gpu = throughput_table(pd.DataFrame([rate | {"gpu_mib": 12345.6}]))
    assert "| CAM | 2 | 1.0% | 70% | 12,346 |\n" in on_gpu and "peak GPU memory, MiB |" in on_gpu
    costs = {200: [3.0], 400: [5.0], "per_image_s": [0.01], "start_s": [1.0], "off_the_line": [0.0]}
    assert "| cam | 3.0 | 5.0 | 0.0100 | 1.0 | 0% |" in chain_table(
        pd.DataFrame(costs, index=["cam"])
    )


def test_the_squared_walk_is_the_walk_over_all_pairs():
    generator = np.random.default_rng(0)
    maps = generator.random((2, 7, 9), np.float32)
    edge = generator.random((7, 9), np.float32) * 0.9
    walk = {"radius": 4, "beta": 3.0, "exp_times": 3, "map_exponent": 1.5}
    slow = random_walk_dense(maps, edge, **walk)
    np.testing.assert_allclose(random_walk_squared(maps, edge, **walk), slow, atol=1e-5)


def test_operations_are_those_that_torch_counts():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 4, 1))
    x = torch.rand(2, 3, 9, 9)
    with FlopCounterMode(display=False) as theirs:
        network(x).sum().backward()
    with OperationCounter() as ours:
        network(x).sum().backward()
    assert ours.total == theirs.get_total_flops() > 0
    with OperationCounter() as inferring, torch.inference_mode():
        network(x)
    assert 0 < inferring.total < ours.total
    with OperationCounter() as climbing:
        y = x.clone().requires_grad_()
        torch.autograd.grad(network(y).sum(), y)
    assert 0 < climbing.total != ours.total


def test_the_rate_of_matrix_products_is_a_rate(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks) / 2)
    rate = matmul_rate(torch.device("cpu"), torch.float32)
    assert rate == 2 * SIDES["cpu"] ** 3 / 0.5


def test_the_projection_divides_the_papers_work_by_the_rates():
    stages = {stage for stage, _, _ in WORK}
    assert stages <= set(STAGES)
    throughput = pd.DataFrame([{"stage": stage, "images_per_s": 2.0} for stage in stages])
    comparisons = pd.DataFrame(
        {"row": ["AdvCAM, 1 class", "AdvCAM, many", "other"], "ours": [2.0, 1.0, 0.1]}
    )
    table = project(throughput, comparisons).set_index("what")
    assert table.loc["IRN: 3 epochs", "hours"] == pytest.approx(3 * 10_582 / 2 / 3600)
    assert table.loc["AdvCAM of the training images", "hours"] == pytest.approx(27 * 10_582 / 3600)
    total = f"{table['hours'].sum():,.0f}"
    assert f"| all | | {total} |" in projection_table(table.reset_index())
    with pytest.raises(KeyError, match="no row of AdvCAM was measured"):
        project(throughput, comparisons.tail(1))


def test_a_noisy_photograph_has_no_two_equal_windows():
    image = find_comparison("AdvCAM, 1 class").prepare().images[0]
    windows = np.lib.stride_tricks.sliding_window_view(image, (7, 7), axis=(0, 1))
    flat = windows.reshape(-1, 3 * 49)
    assert len(np.unique(flat, axis=0)) == len(flat)
