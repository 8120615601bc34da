"""The tiny run on a cluster of three nodes: the same bytes as on one machine."""

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.campaigns.kill_workflow import RESULTS, artifacts
from tests.slurm.workflows import FLAGS, SACCT, project
from tests.workflow.conftest import TINY

pytestmark = pytest.mark.slow
LOCAL = ("--cores", "2")
# How long a training of this config takes leaves room for its time to end in the middle.
LONG_TRAINING = {
    "base": TINY,
    "classifiers": {"f_in": {"epochs": 250}},
    "tables": {}, "figures": {}, "panels": {},
}  # fmt: skip
CLASSIFIER = f"{RESULTS}/tiny/f_in/s0/classifier.safetensors"


@pytest.fixture
def start_project(cluster):
    """Start copies of the project, on the cluster without accounting unless told otherwise."""
    projects = []

    def start(cluster=cluster, config=TINY):
        projects.append(project(cluster, config))
        return projects[-1]

    yield start
    for one in projects:
        one.close()


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


@pytest.mark.parametrize("command", ["squeue", "sacct"])
def test_the_tiny_run_equals_that_of_one_machine(start_project, local_artifacts, request, command):
    cluster = request.getfixturevalue("accounting_cluster" if command == "sacct" else "cluster")
    workflow = start_project(cluster)
    workflow.run(flags=SACCT if command == "sacct" else FLAGS)
    found = artifacts(workflow.folder / RESULTS)
    assert found.keys() == local_artifacts.keys()
    assert not [name for name in found if found[name] != local_artifacts[name]]
    _check_places(stage_logs(workflow.folder / RESULTS / "logs"))
    assert "Nothing to be done" in workflow.run()


def _check_places(first_lines: dict[str, str]) -> None:
    """Networks ran on the node with GPUs, the rest on the others, several of them in one job."""
    networks = "train_|extract_features|cluster_ood|score_ood|erase_ood|localize|walk_irn|predict"
    jobs = set()
    for name, line in first_lines.items():
        if "write_config" in name:
            assert "SLURM" not in line
            continue
        found = re.search(r"SLURM job (\d+) on (\w+), \d+ CPUs, GPUs (\S+)$", line)
        assert found, (name, line)
        jobs.add(found[1])
        if re.search(rf"/({networks})", name):
            assert found[2] == "gpu1" and found[3] in ("0", "1"), (name, line)
        else:
            assert found[2] in ("cpu1", "cpu2") and found[3] == "none", (name, line)
    # What is short shares jobs.
    assert len(jobs) < 0.8 * len(first_lines)


def test_a_training_past_its_time_goes_on_in_the_next_job(start_project, cluster):
    workflow = start_project()
    config = workflow.folder / "config/long.yaml"
    config.write_text(yaml.safe_dump(LONG_TRAINING))
    workflow.config = str(config)
    workflow.run(CLASSIFIER, flags=LOCAL)
    expected = (workflow.folder / CLASSIFIER).read_bytes()
    for name in ("classifier.safetensors", "train.csv"):
        (workflow.folder / CLASSIFIER).with_name(name).unlink()
    engine = workflow.start(CLASSIFIER)
    log = workflow.folder / RESULTS / "logs/tiny/f_in/s0/train_classifier.log"
    cluster.wait_for(
        lambda: log.exists() and "SLURM job" in log.read_text() and "step" in log.read_text(),
        300,
        "a training at work",
    )
    first = int(re.search(r"SLURM job (\d+)", log.read_text())[1])
    # Its signal comes two minutes before the end, when SLURM looks next, within half a minute.
    cluster.end_job_soon(first, 120)
    said = workflow.end(engine)
    assert f"'{first}' failed" in said
    text = log.read_text()
    assert int(re.search(r"SLURM job (\d+)", text)[1]) != first
    assert re.search(r"going on at step [1-9]\d* from .*running", text)
    assert (workflow.folder / CLASSIFIER).read_bytes() == expected
    assert not list((workflow.folder / CLASSIFIER).parent.glob("*.running*"))


def test_half_a_shard_is_refused_by_name_and_made_again(start_project):
    workflow = start_project()
    target = f"{RESULTS}/tiny/f_in/s0/features/0.h5"
    scores = f"{RESULTS}/tiny/f_in/s0/ood_scores/0.h5"
    ranking = f"{RESULTS}/tiny/ood/oracle/ranking.csv"
    workflow.run(target, scores, f"{RESULTS}/tiny/f_in/s0/ood_scores/1.h5")
    path = workflow.folder / scores
    # As after a node whose last blocks did not reach the disk.
    date = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-2000])
    os.utime(path, ns=(date, date))
    said, status = workflow.wait(workflow.start(ranking, "--retries", "0"))
    assert status == 1
    # A job of a group, whose message names the log, with the sentence beside it.
    assert re.search(rf"^ValueError: {scores} ", said, re.MULTILINE), said[-4000:]
    log = re.search(r"log: (\S*rank_ood\.log) \(check log file", said)[1]
    sentence = (workflow.folder / log).read_text().splitlines()[-1]
    assert scores in sentence and sentence.startswith("ValueError")
    check = workflow.wsss("check", RESULTS)
    assert f"{scores}: " in (found := check.communicate(timeout=120)[0]) and "score_ood" in found
    path.unlink()
    said = workflow.run(ranking)
    assert len(re.findall(r"^rule score_ood:", said, re.MULTILINE)) == 1
    assert (workflow.folder / ranking).exists()
