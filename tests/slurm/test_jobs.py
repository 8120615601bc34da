"""Jobs on a cluster: where they run, with what, and what comes of one that fails."""

import re
from pathlib import Path

import pytest

from tests.slurm.workflows import FLAGS, SACCT, jobs_of

pytestmark = pytest.mark.slow


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
    assert "message: ValueError: image 7 is broken: delete it | SLURM-job" in said
    log, slurm_log = re.search(r"^    log: (\S+), (\S+) \(check", said, re.MULTILINE).groups()
    assert (workflow.folder / log).read_text().splitlines()[-1] == (
        "ValueError: image 7 is broken: delete it"
    )
    text = Path(slurm_log).read_text()
    assert f"ValueError: image 7 is broken: delete it (details: {log})" in text


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


def test_sacct_on_a_cluster_without_accounts_is_refused(start_small):
    workflow = start_small()
    said, status = workflow.wait(workflow.start(flags=SACCT), 60)
    assert status == 1 and "Traceback" not in said
    assert "this cluster keeps no accounts" in said
    assert "set slurm-status-command: squeue in the profile (slurm/config.yaml)" in said
