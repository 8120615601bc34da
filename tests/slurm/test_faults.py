"""What befalls a cluster, its jobs and the engine: nothing hangs, is lost or written twice."""

import os
import re
import signal
import time

import pytest

from tests.slurm.workflows import FLAGS, small

pytestmark = pytest.mark.slow
SACCT = (*FLAGS, "--slurm-status-command", "sacct")


@pytest.fixture
def start_small(cluster):
    """Start small workflows, on the cluster without accounting unless told otherwise."""
    workflows = []

    def start(cluster=cluster, **options):
        workflows.append(small(cluster, **options))
        return workflows[-1]

    yield start
    for workflow in workflows:
        workflow.close()


def jobs_of(lines):
    return [int(line[2]) for line in lines]


def test_jobs_run_on_nodes_and_say_so(start_small):
    workflow = start_small(parts=3)
    workflow.release()
    said = workflow.run()
    workflow.finished()
    assert len(workflow.journal("begins")) == 3
    assert {line[3] for line in workflow.journal()} <= {"cpu1", "cpu2"}
    assert "3 of 3" in said or "4 of 4" in said
    first = (workflow.folder / "logs/make/0.log").read_text().splitlines()[0]
    assert re.search(r"SLURM job \d+ on cpu\d, 1 CPUs, GPUs none$", first)


def test_several_gpus_are_one_task(start_small, cluster):
    workflow = start_small(parts=1, gpus=2)
    engine = workflow.start("--set-resources", "make:slurm_partition=gpu")
    ((_, _, job, node, gpus),) = workflow.wait_for(1)
    shown = cluster.run("scontrol", "show", "job", job)
    workflow.release()
    workflow.end(engine)
    assert (node, gpus) == ("gpu1", "0,1")
    assert "NumTasks=1" in shown and "gres/gpu=2" in shown.replace("gres:gpu:2", "gres/gpu=2")
    assert len(workflow.journal("begins")) == 1


def test_gpus_in_the_form_gres(start_small, cluster):
    workflow = start_small(parts=1, gpus=1)
    engine = workflow.start(
        "--set-resources", "make:slurm_partition=gpu", "make:gpu=0", "make:gres='gpu:1'"
    )
    ((_, _, job, node, gpus),) = workflow.wait_for(1)
    shown = cluster.run("scontrol", "show", "job", job)
    workflow.release()
    workflow.end(engine)
    assert (node, gpus) == ("gpu1", "0")
    assert "TresPerNode=gres:gpu:1" in shown


def test_a_failing_job_is_found_by_its_log(start_small):
    workflow = start_small(parts=1, fails="image 7 is broken: delete it")
    said, status = workflow.wait(workflow.start("--retries", "0"))
    assert status == 1
    log = re.search(r"^    log: (\S+) \(check log file", said, re.MULTILINE)[1]
    assert (workflow.folder / log).read_text().splitlines()[-1] == (
        "ValueError: image 7 is broken: delete it"
    )
    (slurm_log,) = (workflow.folder / ".snakemake/slurm_logs").rglob("*.log")
    assert str(slurm_log) in said
    assert f"ValueError: image 7 is broken: delete it (details: {log})" in slurm_log.read_text()


def test_a_job_killed_for_memory_comes_back_with_more(start_small):
    workflow = start_small(parts=1, megabytes=1200)
    engine = workflow.start()
    workflow.wait_for(2)
    workflow.release()
    workflow.end(engine)
    workflow.finished()
    assert len(workflow.journal("begins")) == 2 and len(workflow.journal("ends")) == 1


@pytest.mark.parametrize("command", ["squeue", "sacct"])
def test_a_cancelled_job_is_submitted_again(start_small, request, command):
    cluster = request.getfixturevalue("accounting_cluster" if command == "sacct" else "cluster")
    workflow = start_small(cluster)
    engine = workflow.start(flags=SACCT if command == "sacct" else FLAGS)
    first, second = jobs_of(workflow.wait_for(2))
    cluster.cancel(first)
    workflow.wait_for(3)
    workflow.release()
    said = workflow.end(engine)
    workflow.finished()
    assert f"'{first}' failed" in said and f"'{second}' failed" not in said
    assert len(workflow.journal("ends")) == 2


def test_a_node_that_goes_down_loses_no_job(start_small, cluster):
    workflow = start_small()
    engine = workflow.start()
    lines = workflow.wait_for(2)
    cluster.set_node_down(lines[0][3])
    workflow.wait_for(3)
    workflow.release()
    workflow.end(engine)
    workflow.finished()


def test_the_second_run_of_a_job_waits_for_the_first_where_it_lives_on(start_small, cluster):
    workflow = start_small(parts=1)
    engine = workflow.start()
    ((_, _, job, node, _),) = workflow.wait_for(1)
    cluster.kill_node(node, with_jobs=False)
    log = workflow.folder / "logs/make/0.log"
    hold = "is held by process"
    cluster.wait_for(
        lambda: cluster.job(int(job)).restarts and hold in _slurm_logs(workflow),
        150,
        "a waiting run",
    )
    assert len(workflow.journal("begins")) == 1
    workflow.release()
    workflow.end(engine)
    workflow.finished()
    # One after the other: whoever began had ended before the other began.
    assert [line[1] for line in workflow.journal()] == ["begins", "ends", "begins", "ends"]
    assert "waited until it ended" in log.read_text()


def _slurm_logs(workflow):
    return "".join(
        path.read_text(errors="replace")
        for path in (workflow.folder / ".snakemake/slurm_logs").rglob("*.log")
    )


def test_a_node_that_loses_power_loses_no_job(start_small, cluster):
    workflow = start_small(parts=1)
    engine = workflow.start()
    ((_, _, _, node, _),) = workflow.wait_for(1)
    cluster.kill_node(node, with_jobs=True)
    workflow.wait_for(2)
    workflow.release()
    workflow.end(engine)
    workflow.finished()
    assert len(workflow.journal("ends")) == 1


@pytest.mark.parametrize("command", ["squeue", "sacct"])
def test_a_controller_that_is_away_for_a_minute_is_waited_for(start_small, request, command):
    with_accounting = command == "sacct"
    cluster = request.getfixturevalue("accounting_cluster" if with_accounting else "cluster")
    workflow = start_small(cluster)
    engine = workflow.start(flags=SACCT if with_accounting else FLAGS)
    workflow.wait_for(2)
    cluster.stop_controller()
    if with_accounting:
        cluster.stop_accounting()
    workflow.release()
    workflow.wait_for(2, "ends")
    time.sleep(60)
    if with_accounting:
        cluster.start_accounting()
    cluster.start_controller()
    said = workflow.end(engine)
    workflow.finished()
    assert "SLURM has not answered for" in said and "SLURM answers again" in said
    assert len(workflow.journal("begins")) == 2


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


def test_sacct_on_a_cluster_without_accounts_is_refused(start_small):
    workflow = start_small()
    said, status = workflow.wait(workflow.start(flags=SACCT), 60)
    assert status == 1 and "Traceback" not in said
    assert "this cluster keeps no accounts" in said
    assert "set slurm-status-command: squeue in the profile (slurm/config.yaml)" in said
