"""Engines are killed or stopped while their jobs run: nothing is lost or made twice."""

import os
import signal
import time

import pytest

from tests.slurm.workflows import jobs_of

pytestmark = pytest.mark.slow


def test_after_a_killed_engine_its_jobs_are_waited_for_and_not_made_again(start_small):
    workflow = start_small(parts=3)
    engine = workflow.start("--jobs", "2")
    jobs = jobs_of(workflow.wait_for(2))
    os.killpg(engine.pid, signal.SIGKILL)
    engine.wait()
    assert workflow.start("--unlock").wait(60) == 0
    said, status = workflow.wait(workflow.start())
    assert status == 1
    assert "2 SLURM jobs of an earlier run in this folder are not over" in said
    assert str(jobs[0]) in said and "`wsss recover`" in said and "Traceback" not in said
    recovery = workflow.wsss("recover")
    time.sleep(3)
    assert recovery.poll() is None
    workflow.release()
    text = recovery.communicate(timeout=120)[0]
    assert text.startswith("2 SLURM jobs have ended; the folder"), text
    said = workflow.run()
    workflow.finished()
    # What the jobs without an engine finished is there; only the third part was left.
    assert len(workflow.journal("begins")) == 3 == len(workflow.journal("ends"))


def test_after_a_killed_engine_its_jobs_can_be_cancelled(start_small):
    workflow = start_small()
    engine = workflow.start()
    workflow.wait_for(2)
    os.killpg(engine.pid, signal.SIGKILL)
    engine.wait()
    recovery = workflow.wsss("recover", "--cancel", "all")
    text = recovery.communicate(timeout=120)[0]
    assert text.startswith("2 SLURM jobs have ended; the folder is unlocked"), text
    workflow.release()
    workflow.run()
    workflow.finished()
    assert len(workflow.journal("begins")) == 4 and len(workflow.journal("ends")) == 2


def test_beside_a_live_engine_nothing_is_recovered_or_started(start_small):
    workflow = start_small()
    engine = workflow.start()
    workflow.wait_for(2)
    recovery = workflow.wsss("recover", "--cancel", "all")
    errors = recovery.communicate(timeout=120)[1]
    assert recovery.returncode == 1 and "still runs in this folder: stop it first" in errors
    said, status = workflow.wait(workflow.start("--nolock"))
    assert status == 1 and "2 SLURM jobs of an earlier run" in said
    workflow.release()
    workflow.end(engine)
    workflow.finished()
    assert len(workflow.journal("begins")) == 2


def test_ctrl_c_cancels_the_jobs_and_the_next_start_goes_on(start_small, cluster):
    workflow = start_small()
    engine = workflow.start()
    workflow.wait_for(2)
    os.kill(engine.pid, signal.SIGINT)
    assert workflow.wait(engine, 120)[1] == 1
    cluster.wait_for(lambda: not cluster.running(), 60, "no running job")
    workflow.release()
    workflow.run()
    workflow.finished()
    assert len(workflow.journal("ends")) == 2


def test_sigterm_lets_the_jobs_end_and_the_next_start_goes_on(start_small):
    workflow = start_small(parts=3)
    engine = workflow.start("--jobs", "2")
    workflow.wait_for(2)
    os.kill(engine.pid, signal.SIGTERM)
    time.sleep(2)
    assert engine.poll() is None
    workflow.release()
    assert workflow.wait(engine, 120)[1] == 1
    workflow.run()
    workflow.finished()
    assert len(workflow.journal("begins")) == 3 == len(workflow.journal("ends"))


def test_a_lost_terminal_is_as_a_kill(start_small):
    workflow = start_small()
    engine = workflow.start()
    workflow.wait_for(2)
    os.kill(engine.pid, signal.SIGHUP)
    engine.wait(60)
    workflow.release()
    assert workflow.wsss("recover").wait(120) == 0
    said = workflow.run()
    workflow.finished()
    assert len(workflow.journal("begins")) == 2
    assert "Nothing to be done" in said or "localrule all" in said
