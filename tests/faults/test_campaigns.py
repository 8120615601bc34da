"""Short versions of the campaigns of kills."""

import os
import subprocess
import sys

import pytest

from tests.source import ROOT


def run(name, *arguments):
    # A process of its own: it forks, which one with the threads of other tests should not.
    done = subprocess.run(
        [sys.executable, "-m", f"tests.campaigns.{name}", *arguments], cwd=ROOT, text=True,
        capture_output=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=3000,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
def test_killed_trainings_give_the_same_bits():
    last = run("kill_training", "--kills", "12", "--random-seed", "1").splitlines()[-1]
    assert last.endswith(" kills, no difference") and int(last.split()[0]) >= 12


@pytest.mark.very_slow
def test_a_killed_workflow_gives_the_same_bytes():
    assert "4 kills, no difference" in run("kill_workflow", "--kills", "4", "--random-seed", "1")
