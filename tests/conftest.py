"""What holds for every test."""

import logging
import os
import sys

import pytest

from tests.fake_slurm import FakeSlurm


@pytest.fixture(autouse=True)
def restored_logging():
    """Put the process's logging back as it was: stages and the command line set it up anew."""
    root, bars = logging.getLogger(), logging.getLogger("wsss.progress")
    before = list(root.handlers), root.level, bars.level, sys.excepthook
    yield
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
    root.handlers[:], root.level, bars.level, sys.excepthook = before
    logging.captureWarnings(capture=False)


@pytest.fixture
def fake_slurm(tmp_path, monkeypatch):
    """Let SLURM's commands answer what the test writes; an empty queue at first."""
    folder = tmp_path / "slurm_commands"
    folder.mkdir()
    slurm = FakeSlurm(folder)
    for command in ("squeue", "scancel", "sacct"):
        slurm.answer(command)
    slurm.answer("scontrol", "MinJobAge               = 300 sec")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return slurm
