from types import SimpleNamespace

import pytest

from tests.plan.conftest import COUNTS, NAMES, SCENES, resolved
from wsss.plan.forecast import SMALL_RULES, forecast
from wsss.plan.jobs import Job, jobs_of, read_jobs, write_jobs
from wsss.plan.rates import OWN, Measured, Rate, write_rates
from wsss.plan.telling import missing, summary, tell
from wsss.plan.words import aligned, count, duration, hours, listed, size, unit_of


def job(rule, threads=1, gpus=0, mem_mb=None, runtime=None, **names):
    return Job(rule, NAMES | names, threads, gpus, mem_mb, runtime)


def rate(kind, start, seconds, device="cpu"):
    return Rate(kind, start, seconds, 3, device, f"one {device.upper()}")


RATES = {
    "localize:cam:resnet50": rate("localize:cam:resnet50", 60, 840 / 13),
    "refine_maps:seed": rate("refine_maps:seed", 0, 100),
    "make_table": rate("make_table", 9, 0),
}
BYTES = {"localize:cam:compact": 500.0, "localize:cam:efficientnet_lite0": 1000.0}
JOBS = [
    job("make_table"),
    job("refine_maps", refiner="seed", mem_mb=2000, runtime=30),
    job("localize", threads=2, gpus=1, mem_mb=4000),
    job("localize", threads=2, gpus=1, mem_mb=5000),
]


def test_sums_by_rule_in_the_order_of_the_workflow(config):
    found = forecast(JOBS, config, COUNTS, Measured(RATES, BYTES))
    localize, refine, small = found.lines
    assert [line.rule for line in found.lines] == ["localize", "refine_maps", SMALL_RULES]
    assert (localize.jobs, localize.images, localize.mem_mb) == (2, 52, 5000)
    # 60 s and 840 core-seconds on 2 threads.
    assert localize.longest_seconds == pytest.approx(480)
    assert localize.core_hours == pytest.approx(2 * 2 * 480 / 3600)
    assert (localize.gpu_hours, localize.on_cpu) == (0.0, 2)
    # No resnet50 was weighed: the most of the others, for 7.8 million pixels of maps each.
    assert localize.written == pytest.approx(2 * 7.8 * 1000)
    assert (refine.longest_seconds, refine.minutes) == (pytest.approx(520), 30)
    assert (refine.written, refine.unweighed) == (0.0, 1)
    assert small.core_hours == pytest.approx(9 / 3600)
    total = found.total()
    assert (total.jobs, total.images, total.mem_mb) == (4, 78, 5000)
    assert total.core_hours == pytest.approx(sum(line.core_hours for line in found.lines))


def test_gpus_multiply_gpu_hours(config):
    on_gpu = rate("train_irn:resnet50", 100, 400, "gpu")
    measured = Measured({on_gpu.kind: on_gpu}, {})
    jobs = [job("train_irn", threads=8, gpus=gpus) for gpus in (1, 2)]
    (line,) = forecast(jobs, config, COUNTS, measured).lines
    # 3 megapixel-passes: 1300 s on one, 700 s on two.
    assert line.gpu_hours == pytest.approx((1300 + 2 * 700) / 3600)
    assert line.core_hours == pytest.approx(8 * 2000 / 3600)
    assert (line.gpu_jobs, line.on_gpu, line.on_cpu) == (2, 2, 0)


def test_what_is_not_known_is_counted(config):
    jobs = [*JOBS, job("train_irn", gpus=1), Job("a_new_rule", {}, 1, 0, None, None)]
    found = forecast(jobs, config, COUNTS, Measured(RATES, {}))
    assert found.kinds == ["train_irn:resnet50", "a_new_rule"]
    assert found.total().unrated == 2 and found.lines[-1].rule == "a_new_rule"
    unknown = forecast(jobs, config, {}, Measured(RATES, {}))
    assert unknown.missing == ["results/voc/index.csv"]
    assert (unknown.total().unprepared, unknown.total().images) == (4, 0)


def test_words_of_a_plan(config):
    jobs = [*JOBS, job("train_irn", gpus=1)]
    assert summary(forecast(jobs, config, COUNTS, Measured(RATES, {}))) == [
        "Work: 5 jobs, 378 images to compute on; 41 core-minutes, the longest job 9 min, as "
        "measured on one CPU.",
        "Not counted: the time of 1 job; nobody measured train_irn:resnet50.",
        "2 jobs can use a GPU; nobody measured one, so their time is a CPU's.",
        "More, and how to measure your own machine: wsss plan (--help).",
    ]
    assert missing(forecast(jobs, config, {}, Measured(RATES, {}))) == [
        "Not counted: 4 jobs, whose data sets are not prepared yet; make results/voc/index.csv "
        "first."
    ]


def engine_jobs(jobs):
    """The jobs as the engine has them, and one that only asks for files."""
    for one in jobs:
        resources = {"gpu": one.gpus, "mem_mb": one.mem_mb, "runtime": "TBD", "_cores": 1}
        rule = SimpleNamespace(name=one.rule, norun=False)
        yield SimpleNamespace(
            rule=rule, wildcards_dict=one.wildcards, threads=one.threads, resources=resources
        )
    yield SimpleNamespace(rule=SimpleNamespace(name="all", norun=True))


def test_jobs_go_from_the_dry_run_to_the_command(config, tmp_path):
    found = jobs_of(engine_jobs(JOBS))
    assert found == [one._replace(runtime=None) for one in JOBS]
    write_jobs(tmp_path / "jobs.json", config, found)
    assert read_jobs(tmp_path / "jobs.json") == (config, found)
    with pytest.raises(ValueError, match="left no list of its jobs"):
        read_jobs(tmp_path / "gone.json")
    (tmp_path / "jobs.json").write_text("{}")
    with pytest.raises(ValueError, match="left no list of its jobs"):
        read_jobs(tmp_path / "jobs.json")


def test_a_dry_run_tells_its_work_or_hands_it_over(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scenes = resolved(SCENES)
    write_rates(tmp_path / OWN, Measured({"prepare_data:scenes": rate("x", 1, 2)}, {}))
    planned = list(engine_jobs([job("prepare_data", dataset="s")]))
    tell(planned, scenes, tmp_path / "results", file=None)
    assert capsys.readouterr().out.startswith("Work: 1 job, 70 images")
    tell(planned, scenes, tmp_path / "results", file="jobs.json")
    assert capsys.readouterr().out == ""
    assert read_jobs(tmp_path / "jobs.json")[1][0].rule == "prepare_data"
    tell([], scenes, tmp_path / "results", file=None)
    assert capsys.readouterr().out == ""


def test_ten_thousand_jobs_are_told_soon(config):
    import time

    jobs = [job("localize", shard=str(n)) for n in range(10_000)]
    started = time.process_time()
    forecast(jobs, config, COUNTS, Measured(RATES, BYTES))
    assert time.process_time() - started < 1


def test_numbers_are_told_with_two_digits_that_count():
    assert [hours(h) for h in (0.0123, 1.26, 12.34, 1234.5)] == ["0.012", "1.3", "12", "1,234"]
    assert [duration(s) for s in (8, 600, 7200, 9e6)] == ["8 s", "10 min", "2.0 h", "2,500.0 h"]
    assert [size(n) for n in (5, 1500, 2.5e7, 3e9, 4e12)] == [
        "5 B", "1.5 kB", "25 MB", "3 GB", "4 TB"
    ]  # fmt: skip
    assert [count(1, "job"), count(2000, "job")] == ["1 job", "2,000 jobs"]
    assert listed(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert [unit_of(0.5), unit_of(2)] == [("minutes", 60.0), ("hours", 1.0)]


def test_a_table_is_aligned():
    assert aligned(["rule", "jobs"], [["a", "1"], ["total", "10"]], total=True) == (
        "rule   jobs\n-----------\na         1\n-----------\ntotal    10"
    )
