import os
import signal

import pytest

from wsss.holds import HoldWatch
from wsss.logs import ENGINE
from wsss.processes import process_identity

# Each waits until its standard input is closed.
STAGE = """
import logging, sys
from wsss.logs import log_to
log_to(sys.argv[1])
logging.getLogger("stage").info(sys.argv[2])
print("started", flush=True)
sys.stdin.read()
"""
FORKING_STAGE = """
import logging, os, sys
from wsss.logs import log_to
log_to(sys.argv[1])
if os.fork():
    os.kill(os.getpid(), 9)
logging.info("from the worker")
print("worker", flush=True)
sys.stdin.read()
"""
ENGINE_PROCESS = """
import sys
from wsss.processes import process_identity
print(process_identity(), flush=True)
sys.stdin.read()
"""


def test_the_second_stage_on_a_log_waits_for_the_first(start_code, tmp_path):
    path = tmp_path / "stage.log"
    first = start_code(STAGE, path, "first")
    assert first.stdout.readline() == "started\n"
    second = start_code(STAGE, path, "second")
    said = second.stderr.readline()
    assert said == (
        f"{path.with_name('.stage.log.hold')} is held by process {first.pid} on "
        f"{os.uname().nodename}, the same stage of another run; waiting until it ends\n"
    )
    assert "first" in path.read_text() and "second" not in path.read_text()
    first.kill()
    assert second.stdout.readline() == "started\n"
    assert "first" not in path.read_text()
    assert "second" in path.read_text() and "waited until it ended" in path.read_text()
    second.communicate("")
    assert second.returncode == 0


def test_a_worker_that_outlives_its_stage_does_not_keep_the_log(start_code, tmp_path):
    path = tmp_path / "stage.log"
    stage = start_code(FORKING_STAGE, path)
    assert stage.stdout.readline() == "worker\n"
    assert stage.wait(60) == -signal.SIGKILL
    assert HoldWatch(path.with_name(".stage.log.hold")).holder() is None
    assert "from the worker" in path.read_text()


def test_a_stage_ends_soon_after_its_engine(start_code, tmp_path):
    engine = start_code(ENGINE_PROCESS)
    stage = start_code(
        STAGE, tmp_path / "stage.log", "work", **{ENGINE: engine.stdout.readline().strip()}
    )
    assert stage.stdout.readline() == "started\n"
    engine.kill()
    assert stage.wait(60) == -signal.SIGTERM
    text = (tmp_path / "stage.log").read_text()
    assert f"process {engine.pid}, which started this one, is gone: this one ends" in text


def test_a_stage_that_starts_after_its_engines_end_ends(start_code, tmp_path):
    engine = start_code(ENGINE_PROCESS)
    identity = engine.communicate("")[0].strip()
    stage = start_code(STAGE, tmp_path / "stage.log", "work", **{ENGINE: identity})
    assert stage.wait(60) == -signal.SIGTERM


def test_a_process_with_the_engines_old_number_is_not_the_engine(start_code, tmp_path):
    machine, number, started = process_identity().rsplit(" ", 2)
    identity = f"{machine} {number} {int(started) - 1}"
    assert (
        start_code(STAGE, tmp_path / "a", "work", **{ENGINE: identity}).wait(60) == -signal.SIGTERM
    )


@pytest.mark.parametrize(
    "engine",
    [
        "",
        "boot pid:[1] 1 1",
        f"boot {' '.join(process_identity().split()[1:])}",
        process_identity(),
    ],
    ids=["none", "container", "elsewhere", "alive"],
)
def test_without_an_engine_in_sight_or_with_a_live_one_a_stage_runs(start_code, tmp_path, engine):
    stage = start_code(STAGE, tmp_path / "stage.log", "work", **{ENGINE: engine})
    assert stage.stdout.readline() == "started\n"
    stage.communicate("")
    assert stage.returncode == 0
