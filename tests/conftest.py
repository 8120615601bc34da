"""What holds for every test."""

import logging
import os
import subprocess
import sys

import pytest

from tests.fake_slurm import FakeSlurm

# Their tests take minutes each. Processes that share the tests take whole files, in this order: a
# long one that came last would keep one process at work alone.
LONGEST_FIRST = ("tests/slurm/test_tiny.py", "tests/slurm/", "tests/workflow/", "tests/faults/")


def pytest_collection_modifyitems(items):
    """Begin with the longest tests."""
    items.sort(
        key=lambda item: next(
            (i for i, name in enumerate(LONGEST_FIRST) if item.nodeid.startswith(name)), 99
        )
    )


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


@pytest.fixture
def start_code():
    """Start Python code with arguments; whatever still runs after the test is killed."""
    started = []

    def start(code, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | environment,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
