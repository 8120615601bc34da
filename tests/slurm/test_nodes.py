"""Nodes and daemons of a cluster fail: nothing hangs, is lost or written twice."""

import time

import pytest

from tests.slurm.workflows import FLAGS, SACCT

pytestmark = pytest.mark.slow


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
    assert "SLURM does not answer: its" in said and "SLURM answers again" in said
    assert len(workflow.journal("begins")) == 2
