import json
import threading
import time

import pytest

from tests.fake_slurm import queue_line
from wsss import holds
from wsss.cli import main
from wsss.commands import recover as module
from wsss.commands.recover import recover
from wsss.engine.start import engine_hold
from wsss.processes import process_identity
from wsss.slurm import SlurmError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY_SECONDS", 0.05)
    locks = tmp_path / "project" / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/a\n")
    return tmp_path / "project"


def locked(folder):
    return (folder / ".snakemake" / "locks").exists()


def when(condition, action, *arguments):
    """Act as soon as something is so."""

    def wait():
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        action(*arguments)

    threading.Thread(target=wait, daemon=True).start()


def hold_of(folder, identity):
    made = engine_hold(folder).with_name("engine.hold.1")
    made.write_text(json.dumps({"identity": identity, "host": "login2", "job": ""}))
    return made


def test_a_folder_without_jobs_is_unlocked(fake_slurm, folder):
    assert recover(folder, cancel="none") == (
        "no SLURM job of this folder is left; the folder is unlocked: start again with the same "
        "command as before"
    )
    assert not locked(folder)
    assert "the folder was not locked" in recover(folder, cancel="none")


def test_a_machine_without_slurm(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    recover(folder, cancel="all")
    assert not locked(folder)


def test_jobs_are_waited_for(fake_slurm, folder, caplog):
    caplog.set_level("INFO")
    fake_slurm.answer("squeue", queue_line("7", folder), queue_line("8", folder))
    when(lambda: len(fake_slurm.asked) >= 5, fake_slurm.answer, "squeue")
    assert recover(folder, cancel="none").startswith("2 SLURM jobs have ended; the folder is")
    assert len(fake_slurm.asked) > 5
    assert "waiting for 2 SLURM jobs: 7 running: localize scenes_wood_0; 8 running" in caplog.text
    assert not any(line.startswith("scancel") for line in fake_slurm.asked)


@pytest.mark.parametrize(("cancel", "line"), [("waiting", "8"), ("all", "7 8")])
def test_jobs_are_cancelled_on_request(fake_slurm, folder, cancel, line):
    fake_slurm.answer("squeue", queue_line("7", folder), queue_line("8", folder, state="PENDING"))
    when(lambda: "scancel" in " ".join(fake_slurm.asked), fake_slurm.answer, "squeue")
    recover(folder, cancel=cancel)
    assert f"scancel --quiet {line}" in fake_slurm.asked


def test_a_slurm_that_falls_silent_is_asked_again(fake_slurm, folder, caplog):
    caplog.set_level("INFO")
    fake_slurm.answer("squeue", queue_line("7", folder))
    when(lambda: fake_slurm.asked, lambda: fake_slurm.answer("squeue", error="no controller"))
    when(lambda: "asking again" in caplog.text, fake_slurm.answer, "squeue")
    recover(folder, cancel="none")
    assert "squeue failed: no controller; asking again" in caplog.text


def test_a_slurm_that_does_not_answer_leaves_all_as_it_is(fake_slurm, folder):
    fake_slurm.answer("squeue", error="no controller")
    with pytest.raises(SlurmError):
        recover(folder, cancel="all")
    assert locked(folder)


def test_beside_a_live_engine_nothing_is_done(fake_slurm, folder):
    hold_of(folder, process_identity())
    with pytest.raises(ValueError, match="still runs in this folder: stop it first, by ctrl-C"):
        recover(folder, cancel="none")
    assert locked(folder)


def test_a_live_engine_on_another_host_shows_itself(fake_slurm, folder, monkeypatch):
    monkeypatch.setattr(holds, "SILENT_SECONDS", 5.0)
    made = hold_of(folder, "boot pid:[1] 7 8")
    ended = threading.Event()

    def live():
        while not ended.wait(0.1):
            made.touch()

    threading.Thread(target=live).start()
    try:
        with pytest.raises(ValueError, match=r"process 7 on login2.* stop it there first"):
            recover(folder, cancel="none")
    finally:
        ended.set()
    assert locked(folder)


def test_a_dead_engine_on_another_host_gives_no_sign(fake_slurm, folder, monkeypatch):
    monkeypatch.setattr(holds, "SILENT_SECONDS", 0.3)
    hold_of(folder, "boot pid:[1] 7 8")
    recover(folder, cancel="none")
    assert not locked(folder)


def test_the_command(fake_slurm, folder, tmp_path, capsys):
    assert main(["recover", str(folder), "--cancel", "all"]) == 0
    assert "the folder is unlocked" in capsys.readouterr().out
    assert main(["recover", str(tmp_path)]) == 1
    assert "has no folder .snakemake: call this where snakemake was started" in (
        capsys.readouterr().err
    )
