"""Stages of the tiny run that a cluster breaks off, or leaves half done."""

import os
import re

import pytest
import yaml

from tests.campaigns.kill_workflow import RESULTS
from tests.slurm.workflows import LOCAL
from tests.workflow.conftest import TINY

pytestmark = pytest.mark.slow
# How long a training of this config takes leaves room for its time to end in the middle.
LONG_TRAINING = {
    "base": TINY,
    "classifiers": {"f_in": {"epochs": 250}},
    "tables": {}, "figures": {}, "panels": {},
}  # fmt: skip
CLASSIFIER = f"{RESULTS}/tiny/f_in/s0/classifier.safetensors"


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
