import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.fake_slurm import queue_line
from wsss.engine.start import StartError, begin_run, engine_hold
from wsss.holds import HoldWatch
from wsss.slurm import SlurmError

SETTINGS = SimpleNamespace(
    array_jobs=None, status_command="squeue", init_seconds_before_status_checks=40
)
BEGIN = """
import sys
from pathlib import Path
from wsss.engine.start import begin_run
begin_run(Path(sys.argv[1]), None)
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "project" / ".snakemake").mkdir(parents=True)
    return tmp_path / "project"


@pytest.mark.parametrize("slurm_settings", [None, SETTINGS])
def test_a_run_beside_jobs_of_an_earlier_one_is_refused(fake_slurm, folder, slurm_settings):
    jobs = [queue_line(str(number), folder, state="PENDING") for number in range(7, 14)]
    fake_slurm.answer("squeue", *jobs)
    with pytest.raises(StartError) as caught:
        begin_run(folder, slurm_settings)
    assert str(caught.value).startswith(
        "7 SLURM jobs of an earlier run in this folder are not over (7 pending: localize "
        "scenes_wood_0; 8 pending:"
    )
    assert "11 pending: localize scenes_wood_0; ...)" in str(caught.value)
    assert "`wsss recover`" in str(caught.value)


def test_a_run_has_the_engines_hold_until_its_end(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    watch = HoldWatch(engine_hold(folder))
    assert f"process {process.pid} on" in str(watch.holder())
    # Beside it, where someone took away the lock, another one begins as well.
    second = subprocess.run(
        [sys.executable, "-c", BEGIN, folder], input="", text=True, check=True, timeout=60,
        capture_output=True,
    )  # fmt: skip
    assert second.stdout == "begun\n" and f"process {process.pid} on" in str(watch.holder())
    process.communicate("")
    assert watch.holder() is None


def test_a_slurm_that_does_not_answer_stops_a_run_that_needs_it(fake_slurm, folder):
    fake_slurm.answer("squeue", error="Unable to contact slurm controller")
    with pytest.raises(SlurmError, match="squeue failed: Unable to contact slurm controller"):
        begin_run(folder, SETTINGS)


def test_a_slurm_that_does_not_answer_does_not_stop_a_run_on_this_machine(fake_slurm, folder):
    fake_slurm.answer("squeue", error="Could not establish a configuration source")
    process = subprocess.run(
        [sys.executable, "-c", BEGIN, folder], input="", text=True, check=True, timeout=60,
        capture_output=True, env=os.environ,
    )  # fmt: skip
    assert process.stdout == "begun\n"


def test_the_hold_of_an_engine_elsewhere_is_left_alone(folder):
    made = engine_hold(folder).with_name("engine.hold.1")
    text = json.dumps({"identity": "boot pid:[1] 7 8", "host": "login2", "job": ""})
    made.write_text(text)
    subprocess.run([sys.executable, "-c", BEGIN, folder], input=b"", check=True, timeout=60)
    assert made.read_text() == text


def test_sigterm_does_not_lock_the_engine_out(folder):
    """The engine's handler takes a lock that the main thread may have at that moment."""
    code = (
        "import os, signal, sys, threading, time\n"
        "from pathlib import Path\n"
        "from wsss.engine.start import begin_run\n"
        "lock, told = threading.Lock(), threading.Event()\n"
        "def heed(*_):\n"
        "    with lock:\n"
        "        told.set()\n"
        "signal.signal(signal.SIGTERM, heed)\n"
        "begin_run(Path(sys.argv[1]), None)\n"
        "with lock:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(0.5)\n"
        "    assert not told.is_set()\n"
        "assert told.wait(10)\n"
    )
    subprocess.run([sys.executable, "-c", code, folder], check=True, timeout=60)


def test_without_a_handler_sigterm_ends_the_process(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"begun\n"
    process.terminate()
    assert process.wait(60) == -15
    process.communicate()
