"""How long maps took: what logs and benchmark files tell, and when they tell nothing."""

import math
import os

import pytest

from tests.figures.synthetic import CHAINS, metrics_table
from tests.plan.conftest import Results
from tests.report.test_scripts import run
from wsss.report.map_times import MapTime, map_times, time_notes, with_times
from wsss.report.reading import reading_sentence
from wsss.report.runs import machine
from wsss.report.table import layout, protocol, summarise
from wsss.store.tables import read_table, write_table

CHAIN = "scenes/plain/cam"
CPU = "wsss.train.device: computes on the CPU, 1 threads"
END = 1_800_000_000


def log_lines(images, seconds, device=CPU):
    """What a stage's log holds, less the start of its first line."""
    lines = [device] if device else []
    rate = f"{images / seconds:.1f} images/s, 1% of the time waiting"
    lines += [f"wsss.progress: cam: {images // 2} of {images} images, {rate}"]
    lines += [f"wsss.progress: cam: {images} of {images} images in {seconds:.2f} s, {rate}"]
    return "\n2026-11-22 03:00:00,123 INFO ".join(lines)


@pytest.fixture
def results(tmp_path):
    """Two shards of random seed 0: 20 images in 5 s, 10 in 4 s, and 2 s for the start of each."""
    results = Results(tmp_path / "results")
    for shard, (images, seconds) in enumerate([(20, 5.0), (10, 4.0)]):
        add(results, shard, images, seconds)
    return results


def add(results, shard, images, seconds, run="scenes/plain/s0/cam", **log):
    results.job(f"{run}/localize/{shard}", seconds + 2, log=log_lines(images, seconds, **log))
    results.file(f"{run}/maps/{shard}.h5", 10)
    for path in files(results, shard, run):
        os.utime(path, (END, END))


def files(results, shard=0, run="scenes/plain/s0/cam"):
    """The maps, the log and the benchmark file of a shard."""
    names = f"{run}/maps/{shard}.h5", f"logs/{run}/localize/{shard}.log"
    return [results.folder / name for name in (*names, f"benchmarks/{run}/localize/{shard}.tsv")]


def time(results, shards=2, chain=CHAIN, seed=0):
    return map_times(results.folder, [chain], [seed], shards=shards)[CHAIN, seed]


def test_seconds_of_all_shards_without_the_start(results):
    found = time(results, chain=f"{CHAIN}/irn/deeplab")
    assert found.seconds == pytest.approx(9 / 30) and not found.missing
    assert (
        found.place == f"the CPU, 1 threads, of a machine of {machine()['processor cores']} cores"
    )
    assert time(results, shards=1).seconds == pytest.approx(5 / 20)


def test_the_last_run_of_a_stage_counts(results):
    _, log, _ = files(results)
    log.write_text(log.read_text().replace("in 5.00 s", "in 9.00 s") + log.read_text())
    os.utime(log, (END, END))
    assert time(results).seconds == pytest.approx(9 / 30)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_file_that_is_missing_is_named(results, missing):
    path = files(results, 1)[missing]
    path.unlink()
    found = time(results)
    assert math.isnan(found.seconds) and found.missing == f"{path} is missing"


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("seconds", [-7 - 61, 61])
def test_files_of_another_job_tell_nothing(results, place, seconds):
    path = files(results)[place]
    os.utime(path, (END, END + seconds))
    found = time(results)
    assert math.isnan(found.seconds)
    assert found.missing == f"{path} was not written by the job of {files(results)[2]}"
    # The job of 7 s itself, and a minute for the clocks, are in it.
    os.utime(path, (END, END + seconds - math.copysign(2, seconds)))
    assert not time(results).missing


def test_a_log_without_the_time_tells_nothing(results):
    _, log, _ = files(results)
    log.write_text(log.read_text().replace(" in 5.00 s", ""))
    os.utime(log, (END, END))
    assert time(results).missing == f"{log} does not say how long its images took"


def test_a_damaged_benchmark_file_is_an_error(results):
    *_, benchmark = files(results)
    benchmark.write_text("s\tmax_rss\n-\t-\n")
    with pytest.raises(ValueError, match=r"0\.tsv is no benchmark file: it has no time"):
        time(results)


SLURM = "wsss.logs: SLURM job 7 on secret17, 4 CPUs, GPUs 0"


def test_a_node_of_a_cluster_keeps_its_name_to_itself(results):
    device = f"{SLURM}\n2026-11-22 03:00:00,123 INFO wsss.train.device: computes on NVIDIA H100"
    add(results, 0, 20, 5.0, device=device)
    found = time(results)
    assert found.place.startswith("NVIDIA H100, of a node of a cluster and the CPU, 1 threads, of")
    assert "secret17" not in found.place


# In a table


def table_of(times):
    chains = {label: "/".join(chain) for label, chain in CHAINS.items()}
    summary = summarise(
        # The table of some random seeds has gaps in its index.
        with_times(metrics_table(4).query("random_seed < 3"), times), chains=chains, stage="seed",
        split="train", metric_names=["miou", "seconds_per_image"], threshold_policy="ground_truth",
        pruning={}, saw_pixel_labels=[], known_saliency=[], protocols={}, expected={},
    )  # fmt: skip
    return chains, summary


def known(seconds, place="the CPU"):
    return (seconds, place, "") if seconds else (math.nan, "", "x.tsv is missing")


def test_the_column_and_what_is_said_of_it():
    slow = {"scenes/wood/advcam": 3, "scenes/wood/cam": 2, "scenes/plain/cam": 1}
    times = {
        (chain, seed): MapTime(*known(0.01 * factor * (1 + seed)))
        for chain, factor in slow.items() for seed in range(3)
    }  # fmt: skip
    times |= {("scenes/ood_bce/cam", seed): MapTime(*known(0)) for seed in range(3)}
    times["scenes/wood/cam", 1] = MapTime(*known(0))
    chains, summary = table_of(times)
    own = summary[summary["metric"] == "seconds_per_image"].set_index("label")
    assert own["mean"]["F_in"] == pytest.approx(0.02) and own["sd"]["F_in"] == pytest.approx(0.01)
    assert own["n"].to_dict() == {
        "F_in": 3, "hard OoD, BCE to zero": 0, "W-OoD": 2, "W-OoD, AdvCAM": 3
    }  # fmt: skip
    grid = layout(summary)
    assert grid.header[-1] == "Seconds per image"
    cells = [(row[-1].text, row[-1].best) for row in grid.rows]
    assert cells == [("0.020", True), ("–", False), ("0.040", False), ("0.060", False)]
    assert "Mean ± sample standard deviation over 2 or 3 random seeds." in protocol(summary)
    assert reading_sentence(summary).startswith("Best mIoU")
    measured, missing = time_notes(chains, times)
    assert "without its start, measured on the CPU; jobs that ran beside it" in measured
    assert missing == (
        "No seconds per image of hard OoD, BCE to zero, random seed 0: x.tsv is missing; "
        "hard OoD, BCE to zero, random seed 1: x.tsv is missing; "
        "hard OoD, BCE to zero, random seed 2: x.tsv is missing; "
        "W-OoD, random seed 1: x.tsv is missing."
    )


def test_places_are_told_apart():
    times = {("d/a/cam", 0): MapTime(*known(1, "the CPU")), ("d/b/cam", 0): MapTime(*known(1, "X"))}
    (sentence,) = time_notes({"one": "d/a/cam/irn", "two": "d/b/cam"}, times)
    assert "measured on the CPU (one) and X (two); jobs" in sentence


def test_the_script_takes_the_times_of_the_tables_own_folder(results, tmp_path):
    table = metrics_table(1)
    write_table(results.folder / "tables/metrics.csv", table)
    own = {"title": "Maps", "caption": "", "stage": "seed", "split": "train", "threshold": "fixed",
           "metrics": ["seconds_per_image"], "expected": {}, "notes": ["The last."],
           "chains": {"plain": CHAIN, "W-OoD": "scenes/wood/cam"}}  # fmt: skip
    files = {"csv": "t.csv", "markdown": "t.md", "latex": "t.tex", "sidecar": "t.json"}
    run(
        "make_table", {"metrics": str(results.folder / "tables/metrics.csv")},
        {key: str(tmp_path / name) for key, name in files.items()},
        {"table": own, "random_seeds": [0], "shards": 2, "pruning": {}, "saw_pixel_labels": [],
         "known_saliency": [], "protocols": {}},
        tmp_path,
    )  # fmt: skip
    found = read_table(tmp_path / "t.csv", ["mean"])
    assert found["mean"].tolist() == pytest.approx([0.3, math.nan], nan_ok=True)
    text = (tmp_path / "t.md").read_text("utf-8")
    assert "| plain | **0.30** |" in text and "| W-OoD | – |" in text
    assert "No seconds per image of W-OoD, random seed 0: " in text and "0.h5 is missing." in text


def test_nothing_is_measured_where_nobody_asks():
    table = metrics_table()
    assert with_times(table, {}).equals(table) and time_notes({"a": "d/a/cam"}, {}) == []
