import asyncio
import logging
from types import ModuleType, SimpleNamespace

import pytest

from wsss import slurm
from wsss.engine import slurm_plugin
from wsss.engine.slurm_plugin import PluginError, check_settings, mend

LOG = "snakemake.logging"


class Executor:
    """What the plugin's executor does: ask once, report ends, drop all without an answer."""

    run_uuid = "run"
    workflow = SimpleNamespace(
        remote_execution_settings=SimpleNamespace(seconds_between_status_checks=30)
    )

    def __init__(self, plugin):
        self.next_seconds_between_status_checks = 10
        self.plugin = plugin
        self.reports = []

    async def check_active_jobs(self, active_jobs):
        self.next_seconds_between_status_checks += 10
        states, _ = await self.plugin.query_job_status("squeue", None)
        if states is None:
            return
        for job in active_jobs:
            state = states.get(job.external_jobid)
            if state == "COMPLETED":
                self.report_job_success(job)
            elif state in ("FAILED", "CANCELLED"):
                self.report_job_error(job)
            else:
                yield job

    def report_job_success(self, job):
        self.reports.append((job.external_jobid, "success"))

    def report_job_error(self, job, msg="", aux_logs=()):
        self.reports.append((job.external_jobid, f"error {msg}".strip()))


@pytest.fixture
def log_file(tmp_path):
    return tmp_path / "stage.log"


@pytest.fixture
def look(fake_slurm, log_file):
    """Look once with these states, or None for no answer; returns the jobs still active."""
    answers = []

    async def query_job_status(command, logger):
        states = answers.pop(0)
        return states, (0.1 if states is not None else None)

    class Fresh(Executor):
        pass

    plugin = ModuleType("plugin")
    plugin.query_job_status, plugin.Executor = query_job_status, Fresh
    mend(plugin)
    mend(plugin)
    executor = Fresh(plugin)

    def look(states, *numbers):
        answers.append(states)
        jobs = [
            SimpleNamespace(
                external_jobid=n, aux={"slurm_logfile": f"{n}.log"},
                job=SimpleNamespace(log=[str(log_file)], is_group=lambda: look.is_group),
            )
            for n in numbers
        ]  # fmt: skip

        async def check():
            return [job.external_jobid async for job in executor.check_active_jobs(jobs)]

        return asyncio.run(check())

    look.executor, look.reports, look.is_group = executor, executor.reports, False
    look.slurm = fake_slurm
    return look


def test_what_ends_is_reported_and_what_runs_is_kept(look):
    assert look({"1": "RUNNING", "2": "COMPLETED", "3": "FAILED"}, "1", "2", "3") == ["1"]
    assert look.reports == [("2", "success"), ("3", "error")]


@pytest.mark.parametrize("state", ["CANCELLED by 1000", "CANCELLED+"])
def test_a_cancelled_job_is_no_running_one(look, state):
    assert look({"1": state}, "1") == []
    assert look.reports == [("1", "error")]


def test_without_an_answer_no_job_is_dropped(look, caplog):
    with caplog.at_level(logging.WARNING, LOG):
        for _ in range(3):
            assert look(None, "1", "2") == ["1", "2"]
        assert look({"1": "RUNNING", "2": "COMPLETED"}, "1", "2") == ["1"]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("SLURM does not answer: its 2 jobs go on without it")
    assert said[1].startswith("SLURM answers again after")


def test_it_looks_as_often_as_it_was_told(look):
    seconds = []
    for _ in range(4):
        look({"1": "RUNNING"}, "1")
        seconds.append(look.executor.next_seconds_between_status_checks)
    assert seconds == [20, 30, 30, 30]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("INFO a\nTraceback\n  File b\nValueError: image 7 is broken: delete it\n", True),
        ("INFO a\nINFO ValueError: of old\n", False),
        ("", False),
        ("x" * 20_000, False),
    ],
    ids=["error", "info", "empty", "long"],
)
def test_a_failed_job_says_why(look, log_file, text, said):
    log_file.write_text(text)
    look({"1": "FAILED"}, "1")
    ((_, report),) = look.reports
    assert report == ("error ValueError: image 7 is broken: delete it |" if said else "error")


def test_of_a_failed_group_each_job_says_why(look, log_file, caplog):
    look.is_group = True
    log_file.write_text("ValueError: image 7 is broken: delete it\n")
    look({"1": "FAILED"}, "1")
    assert "ValueError: image 7 is broken: delete it" in caplog.messages


def test_no_jobs_no_questions(look):
    assert look(None) == []
    assert look.reports == [] and look.slurm.asked == []


def test_a_job_that_slurm_has_forgotten_is_judged_by_its_output(look, monkeypatch):
    look.slurm.answer("squeue", error="Invalid job id specified")
    assert look({}, "1") == ["1"]
    monkeypatch.setattr(slurm_plugin, "FORGOTTEN_SECONDS", 0.0)
    assert look({}, "1") == []
    assert look.reports == [("1", "success")]


@pytest.mark.parametrize("answer", ["RUNNING", None])
def test_a_job_of_which_slurm_knows_is_not_forgotten(look, monkeypatch, answer):
    monkeypatch.setattr(slurm_plugin, "FORGOTTEN_SECONDS", 0.0)
    if answer:
        look.slurm.answer("squeue", answer)
    else:
        look.slurm.answer("squeue", error="no controller")
    assert look({}, "1") == ["1"]


def test_a_job_that_is_seen_again_starts_anew(look, monkeypatch):
    times = iter([0.0, 400.0, 500.0, 600.0])
    monkeypatch.setattr(slurm_plugin, "time", SimpleNamespace(monotonic=lambda: next(times)))
    look.slurm.answer("squeue", error="Invalid job id specified")
    assert look({}, "1") == ["1"]
    assert look({"1": "RUNNING"}, "1") == ["1"]
    assert look({}, "1") == ["1"]


def test_a_job_that_cannot_start_is_cancelled_and_reported(look):
    look.slurm.answer(
        "squeue",
        slurm.BETWEEN.join(["1", "launch failed requeued held"]),
        slurm.BETWEEN.join(["2", "Priority"]),
    )
    assert look({"1": "PENDING", "2": "PENDING"}, "1", "2") == ["2"]
    assert look.reports == [("1", "error SLURM job 1 cannot start: launch failed requeued held.")]
    assert "scancel --quiet 1" in look.slurm.asked


def test_why_jobs_wait_may_stay_unknown(look):
    look.slurm.answer("squeue", error="no controller")
    assert look({"1": "PENDING"}, "1") == ["1"]


def test_a_job_that_cannot_be_cancelled_is_reported_all_the_same(look, caplog):
    look.slurm.answer("squeue", slurm.BETWEEN.join(["1", "BadConstraints"]))
    look.slurm.answer("scancel", error="no controller")
    assert look({"1": "PENDING"}, "1") == []
    assert "job 1 is not cancelled: scancel failed" in caplog.text


def test_a_plugin_of_another_structure_is_refused():
    with pytest.raises(PluginError, match=r"another structure than version 2\.8"):
        mend(ModuleType("plugin"))


def test_the_installed_plugin_is_mended():
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm")
    before = plugin.query_job_status, plugin.Executor.check_active_jobs
    try:
        mend(plugin)
        assert plugin.query_job_status is not before[0]
        assert plugin.Executor.check_active_jobs is not before[1]
    finally:
        plugin.query_job_status, plugin.Executor.check_active_jobs = before


def settings(command, seconds=40):
    return SimpleNamespace(
        array_jobs=None, status_command=command, init_seconds_before_status_checks=seconds
    )


def test_arrays_of_jobs_are_refused(fake_slurm):
    with pytest.raises(PluginError, match="leave slurm-array-jobs out of the profile"):
        check_settings(SimpleNamespace(array_jobs="localize"))


def test_a_way_of_asking_that_works_passes(fake_slurm):
    check_settings(settings("sacct"))
    check_settings(settings("squeue"))
    fake_slurm.answer("sacct", error="Slurm accounting storage is disabled")
    check_settings(settings("squeue"))


def test_sacct_without_accounting_is_refused(fake_slurm):
    fake_slurm.answer("sacct", error="Slurm accounting storage is disabled")
    with pytest.raises(PluginError, match="set slurm-status-command: squeue in the profile"):
        check_settings(settings("sacct"))


def test_squeue_that_forgets_too_soon_is_refused(fake_slurm):
    fake_slurm.answer("scontrol", "MinJobAge = 100 sec")
    check_settings(settings("squeue"))
    fake_slurm.answer("sacct", error="Slurm accounting storage is disabled")
    with pytest.raises(PluginError, match="SLURM forgets jobs 100 s after their end"):
        check_settings(settings("squeue"))
