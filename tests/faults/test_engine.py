"""The engine is killed, started twice, or meets a disk that does not take its files."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.campaigns.processes import kill, members, named, wait_until_gone
from tests.faults.disks import on_small_disk
from tests.source import ROOT
from tests.workflow.conftest import TINY, copy_project

pytestmark = pytest.mark.slow

SNAKEFILE = f"""
include: "{ROOT}/workflow/rules/start.smk"

rule all:
    input:
        "made.txt",

rule make:
    output:
        "made.txt",
    log:
        "stage.log",
    script:
        "stage.py"
"""
# `is_there` and `word` are pipes: opening one waits for the test to open its other end.
STAGE = """
from pathlib import Path
from wsss.logs import log_to
from wsss.store.atomic import atomic_path

log_to(snakemake.log[0])
with atomic_path(snakemake.output[0]) as temporary:
    temporary.write_text("half")
    Path("is_there").write_text("yes")
    temporary.write_text(Path("word").read_text())
"""
RESULTS = "results-tiny"
LOCKED = "Directory cannot be locked"


@dataclass
class Small:
    """A workflow of one stage, which waits until the test gives it its word."""

    folder: Path
    sessions: list[int] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen:
        words = ["snakemake", "--cores", "1", "--rerun-incomplete", *arguments]
        engine = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=self.folder, start_new_session=True, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.sessions.append(engine.pid)
        return engine

    def wait_for_stage(self) -> None:
        (self.folder / "is_there").read_text()

    def finish(self, engine: subprocess.Popen) -> None:
        (self.folder / "word").write_text("whole")
        said = engine.communicate(timeout=300)[1]
        assert engine.returncode == 0, said
        assert (self.folder / "made.txt").read_text() == "whole"

    def left_over(self) -> list[Path]:
        return list(self.folder.glob(".*.tmp*"))


@pytest.fixture
def small(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "stage.py").write_text(STAGE)
    for name in ("is_there", "word"):
        os.mkfifo(tmp_path / name)
    small = Small(tmp_path)
    yield small
    for session in small.sessions:
        kill(members(session))


def test_after_a_killed_engine_its_stage_ends_and_the_next_start_begins_cleanly(small):
    engine = small.start()
    small.wait_for_stage()
    engine.kill()
    engine.communicate()
    left = wait_until_gone(engine.pid, 60)
    assert not left, named(left)
    log = (small.folder / "stage.log").read_text()
    assert f"process {engine.pid}, which started this one, is gone" in log
    assert len(small.left_over()) == 1

    said = small.start().communicate(timeout=300)[1]
    assert LOCKED in said and "--unlock" in said and "Traceback" not in said
    assert small.start("--unlock").wait(300) == 0
    engine = small.start()
    small.wait_for_stage()
    small.finish(engine)
    assert not small.left_over()


def test_a_second_engine_is_refused_and_the_first_finishes(small):
    first = small.start()
    small.wait_for_stage()
    second = small.start()
    said = second.communicate(timeout=300)[1]
    assert second.returncode == 1
    assert LOCKED in said and str(small.folder) in said and "Traceback" not in said
    small.finish(first)


def test_two_engines_without_the_lock_do_not_write_one_file_at_once(small):
    first = small.start()
    small.wait_for_stage()
    second = small.start("--nolock")
    said = ""
    while "stage.log.hold is held by process" not in said:
        said = second.stderr.readline()
        assert said, "the second engine ended"
    assert said.endswith("waiting until it ends\n")
    small.finish(first)
    small.wait_for_stage()
    small.finish(second)
    assert not small.left_over()


MAKE_DATA = ("-m", "snakemake", RESULTS + "/tiny/index.csv", "--cores", "1", "--configfile", TINY)


@pytest.mark.parametrize(
    ("size", "before", "sentence"),
    [
        ("60k", "true", " cannot be written: the disk is full; make room on it, and start"),
        # The engine makes the folders of outputs; these words are its own.
        ("1m", "mount -o remount,ro {}", f"OSError: [Errno 30] Read-only file system: '{RESULTS}"),
    ],
)
def test_results_on_a_disk_that_takes_nothing(tmp_path, size, before, sentence):
    project = copy_project(tmp_path)
    results = project.folder / RESULTS
    results.mkdir()
    done = on_small_disk(
        results, size, *MAKE_DATA, cwd=project.folder, before=before.format(results),
        after=f"find {results} -name '.*.tmp*'",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("mount -o remount,ro {}", "the disk is read-only; let it be written"),
        ("(cat /dev/zero > {}/filler || true)", "the disk is full; make room on it"),
    ],
)
def test_a_project_on_a_disk_that_takes_nothing(tmp_path, before, reason):
    for name in ("project", "disk"):
        (tmp_path / name).mkdir()
    project, disk = copy_project(tmp_path / "project"), tmp_path / "disk"
    place = ("--directory", disk, "--snakefile", disk / "Snakefile")
    done = on_small_disk(
        disk, "9m", *MAKE_DATA, *place, cwd=project.folder,
        before=f"cp -r {project.folder}/. {disk} && {before.format(disk)} && cd {disk}",
    )  # fmt: skip
    assert done.returncode == 1
    assert f".snakemake cannot be written: {reason}" in done.stderr
    assert "Traceback" not in done.stderr
