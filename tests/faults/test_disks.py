"""Disks that are full, read-only, or take no large file."""

import json
import os
import subprocess
import sys

import pytest

from tests.faults.disks import on_small_disk
from tests.faults.writers import WRITERS
from tests.source import ROOT

REASONS = {
    "full": "the disk is full; make room on it, and start again",
    "read-only": "the disk is read-only; let it be written, or choose another folder, and start",
    "large": "it would be larger than a limit allows; raise it (ulimit -f, or the disk's own), and",
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=REASONS)
def met(request, tmp_path_factory):
    """A fault, and what every writer did when it met the fault."""
    folder, elsewhere = (tmp_path_factory.mktemp(name) for name in ("disk", "elsewhere"))
    words = ["-m", "tests.faults.writers", request.param, folder, elsewhere]
    if request.param == "large":
        done = subprocess.run(
            [sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True,
            check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=600,
        )  # fmt: skip
    else:
        done = on_small_disk(folder, "1m", *words)
    assert done.returncode == 0, done.stderr[-4000:]
    return request.param, json.loads(done.stdout)


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_says_so_in_one_sentence_and_leaves_nothing(met, name):
    fault, found = met
    trials = [trial for trial in found["trials"] if trial["writer"] == name]
    assert {trial["had_old"] for trial in trials} == {False, True}
    for trial in trials:
        assert trial["kind"] == "WriteError", trial
        assert f"{name} cannot be written: {REASONS[fault]}" in trial["text"]
        assert "\n" not in trial["text"]
        assert trial["is_old"] and trial["left"] == [], trial


def test_predict_says_so_in_one_sentence_and_leaves_nothing_half(met):
    fault, found = met
    for prediction in found["predictions"]:
        assert prediction["status"] == 1
        said = prediction["said"]
        assert said.startswith("wsss: error: ") and REASONS[fault] in said, said
        assert not [name for name in prediction["left"] if ".tmp" in name]
