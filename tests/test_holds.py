import errno
import json
import os
import signal
import time
from pathlib import Path

import pytest

from wsss import holds, slurm
from wsss.holds import HoldWatch, take_hold
from wsss.processes import process_identity

TAKE = """
import sys
from pathlib import Path
from wsss import holds
holds.BEAT_SECONDS = float(sys.argv[2])
holds.take_hold(Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""
# Many at once: each writes its number, waits, and reads it again.
RACE = """
import os, sys, time
from pathlib import Path
from wsss import holds
holds.LOOK_EVERY_SECONDS = 0.01
holds.take_hold(Path(sys.argv[1]))
place = Path(sys.argv[2])
place.write_text(str(os.getpid()))
time.sleep(0.1)
assert place.read_text() == str(os.getpid()), "two at once"
if sys.argv[3] == "killed":
    os.kill(os.getpid(), 9)
"""
ELSEWHERE = "another-boot pid:[1] 7 8"


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".stage.log.hold"


def made_elsewhere(path, *, job="", number=1):
    """A hold that a process of another machine made."""
    made = path.with_name(f"{path.name}.{number}")
    made.write_text(json.dumps({"identity": ELSEWHERE, "host": "node7", "job": job}))
    return made


def test_a_hold_names_its_process_and_is_given_back_at_its_end(start_code, path):
    process = start_code(TAKE, path, 20)
    assert process.stdout.readline() == "taken\n"
    assert str(HoldWatch(path).holder()) == f"process {process.pid} on {os.uname().nodename}"
    process.communicate("")
    assert HoldWatch(path).holder() is None
    assert [found.name for found in path.parent.iterdir()] == [".stage.log.hold.1"]


def test_a_hold_in_a_slurm_job_names_the_job_and_the_node(start_code, path):
    process = start_code(TAKE, path, 20, SLURM_JOB_ID="17", SLURMD_NODENAME="gpu1")
    assert process.stdout.readline() == "taken\n"
    assert str(HoldWatch(path).holder()) == f"process {process.pid} on gpu1 (SLURM job 17)"


def test_a_killed_process_loses_its_hold_and_the_next_takes_a_higher_number(start_code, path):
    process = start_code(TAKE, path, 20)
    assert process.stdout.readline() == "taken\n"
    process.kill()
    process.wait()
    assert HoldWatch(path).holder() is None
    assert start_code(TAKE, path, 20).stdout.readline() == "taken\n"
    assert sorted(found.name for found in path.parent.iterdir()) == [
        ".stage.log.hold.1", ".stage.log.hold.2"
    ]  # fmt: skip


def test_old_numbers_go(start_code, path):
    for number in range(1, 31):
        path.with_name(f"{path.name}.{number}").touch()
    assert start_code(TAKE, path, 20).stdout.readline() == "taken\n"
    numbers = sorted(int(found.suffix[1:]) for found in path.parent.iterdir())
    assert numbers == list(range(12, 32))


@pytest.mark.parametrize("end", ["given_back", "killed"])
def test_of_many_that_try_at_once_one_at_a_time_has_it(start_code, path, tmp_path, end):
    racing = [start_code(RACE, path, tmp_path / "place", end) for _ in range(12)]
    for process in racing:
        said = process.communicate(timeout=120)[1]
        assert "two at once" not in said
        assert process.returncode == (0 if end == "given_back" else -signal.SIGKILL), said


def test_a_hold_of_a_silent_process_elsewhere_is_taken_over_after_a_while(path, monkeypatch):
    monkeypatch.setattr(holds, "SILENT_SECONDS", 0.5)
    made = made_elsewhere(path)
    watch = HoldWatch(path)
    for _ in range(4):
        time.sleep(0.3)
        os.utime(made)
        assert watch.holder().host == "node7"
    time.sleep(0.6)
    assert watch.holder() is None


@pytest.mark.parametrize(
    ("says", "has_it"),
    [("RUNNING", True), ("COMPLETING", True), ("PENDING", False), ("", False), ("FAILED", False)],
)
def test_a_process_elsewhere_has_its_hold_while_its_slurm_job_is_at_work(
    path, monkeypatch, says, has_it
):
    monkeypatch.setattr(slurm, "available", lambda: True)
    monkeypatch.setattr(slurm, "state_of", lambda number: says if number == "17" else "")
    made_elsewhere(path, job="17")
    assert (HoldWatch(path).holder() is not None) == has_it


def test_a_slurm_that_does_not_answer_is_no_proof_of_an_end(path, monkeypatch):
    def down(number):
        raise slurm.SlurmError("squeue failed: no controller")

    monkeypatch.setattr(slurm, "available", lambda: True)
    monkeypatch.setattr(slurm, "state_of", down)
    made_elsewhere(path, job="17")
    assert HoldWatch(path).holder().job == "17"


def test_a_requeued_job_takes_the_hold_of_its_first_run_on_another_node(path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    made_elsewhere(path, job="17")
    assert HoldWatch(path).holder() is None


def test_who_was_taken_for_dead_ends_itself(start_code, path):
    process = start_code(TAKE, path, 0.1)
    assert process.stdout.readline() == "taken\n"
    made_elsewhere(path, number=2)
    assert process.wait(60) == -signal.SIGTERM
    assert "was taken by" in process.stderr.read()


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_hold_whose_folder_was_emptied_or_removed_goes_on(start_code, path, folder_too):
    process = start_code(TAKE, path, 0.1)
    assert process.stdout.readline() == "taken\n"
    path.with_name(f"{path.name}.1").unlink()
    if folder_too:
        path.parent.rmdir()
    time.sleep(0.5)
    _, said = process.communicate("")
    assert (process.returncode, said) == (0, "")


MOVED = """
import os, sys, time
from pathlib import Path
from wsss import holds
holds.BEAT_SECONDS = 0.05
os.chdir(sys.argv[1])
holds.take_hold(Path("log.hold"))
os.chdir("/")
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_hold_stays_where_it_was_taken(start_code, path):
    process = start_code(MOVED, path.parent)
    assert process.stdout.readline() == "taken\n"
    made = path.parent / "log.hold.1"
    os.utime(made, (1, 1))
    give_up = time.monotonic() + 60
    while made.stat().st_mtime == 1 and time.monotonic() < give_up:
        time.sleep(0.02)
    assert made.stat().st_mtime > 1
    process.communicate("")
    assert made.read_bytes() == b""


def test_a_file_system_that_knows_no_holds_is_named(path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert take_hold(path) == (
        f"{path} cannot be held (EPERM): the same stage of another run would not wait"
    )
    assert not list(path.parent.iterdir())


def test_an_own_process_is_seen(path):
    made = made_elsewhere(path)
    made.write_text(json.dumps({"identity": process_identity(), "host": "here", "job": ""}))
    assert HoldWatch(path).holder().host == "here"
