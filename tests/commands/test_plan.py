"""`wsss plan` and `wsss cost`."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.plan.conftest import Results
from tests.source import ROOT
from wsss.cli import main
from wsss.commands.plan import dry_run, told
from wsss.plan.forecast import Forecast, Line
from wsss.plan.jobs import PLAN
from wsss.plan.rates import Rate, read_rates
from wsss.plan.work import gpus_of, threads_of

CODE = ("Snakefile", "config.yaml", "config", "profiles", "workflow", "wsss")


def test_a_forecast_as_a_table():
    lines = [
        Line("prepare_data", jobs=1, unprepared=1),
        Line("localize", 4, 1000, 60.0, 30.0, 7200.0, 8000, 90, 2.5e9, gpu_jobs=4, on_gpu=4),
        Line(
            "train_irn", 2, 20, 3.0, 0.0, 90.0, 4000, 10, 0.0,
            unrated=1, gpu_jobs=2, on_cpu=1, unweighed=2,
        ),
    ]  # fmt: skip
    gpu = Rate("localize:cam:resnet50", 1, 1, 12, "gpu", "one A100")
    cpu = Rate("train_irn:resnet50", 1, 1, 3, "cpu", "an old laptop")
    text = told(Forecast(lines, ["r/voc/index.csv"], ["train_irn:other"], [gpu, cpu]))
    rows = [re.split(r"  +", line) for line in text.splitlines()]
    assert rows[0] == [
        *("rule", "jobs", "images", "core-hours", "GPU-hours", "longest job"),
        *("asked: memory", "asked: time", "written"),
    ]
    assert rows[2:7] == [
        ["prepare_data", "1", "?", "?", "–", "?", "–", "–", "?"],
        ["localize", "4", "1,000", "60", "30", "2.0 h", "8.0 GB", "1.5 h", "2.5 GB"],
        ["train_irn", "2", "20", "≥ 3", "?", "≥ 2 min", "4.0 GB", "10 min", "?"],
        ["-" * len(text.splitlines()[1])],
        ["total", "7", "1,020", "≥ 63", "≥ 30", "≥ 2.0 h", "8.0 GB", "1.5 h", "≥ 2.5 GB"],
    ]
    for note in (
        "Rates of 1 kind of work, from 3 jobs on an old laptop: core-hours are those on such a CPU",
        "Rates of 1 kind of work, from 12 jobs on one A100: GPU-hours on such a GPU",
        "whose data sets are not prepared yet; make r/voc/index.csv first",
        "nobody measured train_irn:other",
        "For GPU-hours run a small config on such a GPU, then: wsss plan --rates its/results/",
        "What 2 jobs would write was not measured for such networks",
    ):
        assert note in text


def test_columns_of_what_nobody_asked_for_are_left_out():
    text = told(Forecast([Line("prepare_data", 1, 10, 0.5, 0.0, 3.0)]))
    assert "asked" not in text and "core-minutes" in text


@pytest.fixture
def run(tmp_path):
    """The results of a small run on a GPU."""
    results = Results(tmp_path / "results-small")
    said = "wsss.train.device: computes on NVIDIA A100"
    results.job("s/f_in/s0/train_classifier", 44, log=said)
    results.job("s/f_in/s1/train_classifier", 6, log=said)
    return results.folder


def test_rates_are_saved(run, tmp_path, capsys):
    saved = tmp_path / "rates.csv"
    assert main(["plan", "--rates", str(run), "--save", str(saved)]) == 0
    assert "rates of 1 kind of work" in capsys.readouterr().out
    (rate,) = read_rates(saved).rates.values()
    assert (rate.device, rate.machine, rate.jobs) == ("gpu", "NVIDIA A100", 1)
    again = tmp_path / "again.csv"
    assert main(["plan", "--rates", str(saved), "--save", str(again)]) == 0
    assert again.read_text() == saved.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is no Snakefile here"),
        (["--save", "rates.csv"], "there are no rates to save"),
        (["--rates", "gone"], "gone cannot be read"),
        (["--rates", "."], "config.yaml cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_made_is_one_sentence(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_of_what_the_workflow_says_its_sentence_is_told(monkeypatch, tmp_path):
    engine = """Building DAG of jobs...
InputFunctionException in rule train in file "/a/classify.smk", line 1:
Error:
  WorkflowError:
    w.pth does not exist: fetch it
Wildcards:
  dataset=voc
Traceback:
  File "/a/inputs.smk", line 55, in placed
"""
    done = subprocess.CompletedProcess([], 1, stdout="", stderr=engine)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").touch()
    with pytest.raises(ValueError, match=r"cannot be planned: w\.pth does not exist: fetch it$"):
        dry_run([], configfiles=[], profile=None)


def test_the_cost_of_a_run(run, capsys):
    assert main(["cost", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    # 50 s on 2 threads and one GPU.
    row = ["train_classifier", "2", "1.7", "0.83", "44 s", "0.7 GB"]
    head = ["rule", "jobs", "core-minutes", "GPU-minutes", "longest job", "peak memory"]
    assert [re.split(r"  +", line) for line in lines[:3:2]] == [head, row]
    assert lines[4].startswith("total")


def test_the_cost_of_a_run_in_slurm(run, fake_slurm, capsys):
    fake_slurm.answer(
        "sacct",
        "17|COMPLETED|01:00:00|7200||16000M|cpu=2,mem=16000M|2026-11-22T03:00:00"
        "|2026-11-22T03:30:00",
    )
    log = run / "logs/s/f_in/s0/train_classifier.log"
    log.write_text("2026 INFO wsss.logs: SLURM job 17 on cpu1, 2 CPUs, GPUs none\n")
    assert main(["cost", str(run)]) == 0
    rows = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0][-2:] == ["memory asked", "longest wait"]
    assert rows[2][-2:] == ["16.0 GB", "30 min"] and rows[4][2] == "2"


@pytest.mark.parametrize("name", ["gone", "."])
def test_a_folder_without_a_run_has_no_cost(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["cost", name]) == 1
    assert "results" in capsys.readouterr().err


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the workflow, in which nothing has run."""
    folder = tmp_path_factory.mktemp("project")
    for name in CODE:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    return folder


def engine(project, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_the_tiny_config_is_planned(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    monkeypatch.setenv("PYTHONPATH", str(project))
    assert main(["plan", "--configfile", "config/tiny.yaml"]) == 0
    text = capsys.readouterr().out
    rows = {row[0]: row for row in (re.split(r"  +", line) for line in text.splitlines())}
    jobs, images = map(int, rows["localize"][1:3])
    # Two shards of twelve images.
    assert jobs >= 6 and images == 6 * jobs and "?" not in rows["total"][3]
    assert not {"all", "write_report"} & set(rows)
    assert "not prepared" not in text and "2 cores of an AMD EPYC" in text
    assert main(["plan", "--configfile", "config/tiny.yaml", "no/such/file"]) == 1
    assert "no/such/file" in capsys.readouterr().err


@pytest.mark.slow
def test_jobs_have_the_threads_and_gpus_that_rates_are_counted_with(project, tmp_path):
    done = engine(
        project, "-n", "--cores", "100", "--configfile", "config/tiny.yaml",
        **{PLAN: str(tmp_path / "jobs.json")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Work:" not in done.stdout
    content = json.loads((tmp_path / "jobs.json").read_text())
    assert len(content["jobs"]) > 50
    for job in content["jobs"]:
        own = threads_of(job["rule"], job["wildcards"], content["config"])
        assert job["threads"] == own, job
        assert job["gpus"] == gpus_of(job["rule"], content["config"]), job


@pytest.mark.slow
def test_a_dry_run_ends_with_its_work_and_says_when_it_cannot(project):
    done = engine(project, "-n", "--quiet", "rules", "--configfile", "config/tiny.yaml")
    assert done.returncode == 0
    assert re.search(r"^Work: \d+ jobs, [\d,]+ images to compute on; .* core-minutes", done.stdout,
                     re.MULTILINE)  # fmt: skip
    for quiet in (["all"], ["rules", "progress"]):
        assert "Work:" not in engine(project, "-n", "--quiet", *quiet).stdout
    assert "Work:" not in engine(project, "-n", "no/such/file").stdout
    index = project / "results-tiny/tiny/index.csv"
    index.parent.mkdir(parents=True)
    index.write_text("?")
    done = engine(project, "-n", "--configfile", "config/tiny.yaml")
    shutil.rmtree(project / "results-tiny")
    assert done.returncode == 0
    assert "The work cannot be told: ValueError: results-tiny/tiny/index.csv is no" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
