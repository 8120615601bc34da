"""The tiny run on a cluster of three nodes: the same bytes as on one machine."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.kill_workflow import RESULTS, artifacts
from tests.slurm.workflows import FLAGS, LOCAL, SACCT, Workflow, project
from tests.workflow.conftest import TINY

# From a classifier to a segmentation network.
CHAIN = f"{RESULTS}/tiny/wood/s0/advcam/irn/deeplab/metrics.csv"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def local_artifacts(cluster):
    """What the tiny run makes without SLURM."""
    workflow = project(cluster, TINY)
    workflow.run(flags=LOCAL)
    yield artifacts(workflow.folder / RESULTS)
    workflow.close()


def stage_logs(folder: Path) -> dict[str, str]:
    """Return the first lines of the stages' logs."""
    return {
        str(path.relative_to(folder)): path.read_text().split("\n", maxsplit=1)[0]
        for path in folder.rglob("*.log")
    }


def test_the_tiny_run_equals_that_of_one_machine(start_project, local_artifacts):
    workflow = start_project()
    workflow.run(flags=FLAGS)
    found = _same_artifacts(workflow, local_artifacts)
    assert found.keys() == local_artifacts.keys()
    logs = stage_logs(workflow.folder / RESULTS / "logs")
    # What is short shares jobs.
    assert len(_jobs_in_their_places(logs)) < 0.8 * len(logs)
    assert "Nothing to be done" in workflow.run()


def test_a_chain_of_it_does_where_sacct_tells_of_jobs(
    start_project, local_artifacts, accounting_cluster
):
    workflow = start_project(accounting_cluster)
    workflow.run(CHAIN, flags=SACCT)
    assert CHAIN.removeprefix(f"{RESULTS}/") in _same_artifacts(workflow, local_artifacts)
    assert _jobs_in_their_places(stage_logs(workflow.folder / RESULTS / "logs"))
    assert "Nothing to be done" in workflow.run(CHAIN)


def _same_artifacts(workflow: Workflow, expected: dict[str, Any]) -> dict[str, Any]:
    """Return the artifacts of a run, each of which is as expected."""
    found = artifacts(workflow.folder / RESULTS)
    assert not [name for name in found if found[name] != expected[name]]
    return found


def _jobs_in_their_places(first_lines: dict[str, str]) -> set[str]:
    """Return the jobs. Networks ran on the node with GPUs, the rest on the others."""
    networks = (
        "train_|extract_features|cluster_ood|score_ood|erase_ood|localize|walk_irn|walk_psa|predict|"
        "diagnose/|diagnose_classifier/"
    )
    jobs = set()
    for name, line in first_lines.items():
        if "write_config" in name or "decide_manual" in name:
            assert "SLURM" not in line
            continue
        found = re.search(r"SLURM job (\d+) on (\w+), \d+ CPUs, GPUs (\S+)$", line)
        assert found, (name, line)
        jobs.add(found[1])
        if re.search(rf"/({networks})", name):
            assert found[2] == "gpu1" and found[3] in ("0", "1"), (name, line)
        else:
            assert found[2] in ("cpu1", "cpu2") and found[3] == "none", (name, line)
    return jobs
