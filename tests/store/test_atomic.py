import errno
import os
import subprocess
import sys

import pytest

from wsss.disk import WriteError
from wsss.store import atomic
from wsss.store.atomic import atomic_path

KILLED = """
import os, sys
from wsss.store.atomic import atomic_path
for path in sys.argv[1:]:
    atomic_path(path).__enter__().write_text("half of the n")
os.kill(os.getpid(), 9)
"""


def test_a_finished_block_replaces_the_file(tmp_path):
    target = tmp_path / "new" / "a.txt"
    for text in ("old", "new"):
        with atomic_path(target) as temporary:
            temporary.write_text(text)
        assert target.read_text() == text
    assert [file.name for file in target.parent.iterdir()] == ["a.txt"]


def test_the_temporary_file_keeps_folder_and_suffix(tmp_path):
    with atomic_path(tmp_path / "a.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        temporary.touch()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_may_be_read_by_others_as_the_umask_says(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "a") as temporary:
        temporary.touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def left_by_a_kill(*paths):
    """Let a process be killed in the middle of writing; return what stands in the folder."""
    subprocess.run([sys.executable, "-c", KILLED, *map(str, paths)], check=False)
    return sorted(file.name for file in paths[0].parent.iterdir())


@pytest.mark.parametrize("name", ["a.csv", ".a.csv.sha256", "a", f"{'long' * 40}.png", "ä" * 90])
def test_what_a_killed_process_left_goes_with_the_next_attempt(tmp_path, name):
    target = tmp_path / name
    other = tmp_path / f"b{target.suffix}"
    assert len(left_by_a_kill(target, other)) == 2
    atomic._left_over.clear()
    with atomic_path(target) as temporary:
        temporary.write_text("new")
    # The other file's stays: its writer may be at work.
    (left,) = {file.name for file in tmp_path.iterdir()} - {name}
    assert left.startswith(".b.") and target.read_text() == "new"


def test_only_what_stood_there_before_is_left_over(tmp_path):
    target = tmp_path / "a.txt"
    with atomic_path(target) as first, atomic_path(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_gives_up_at_the_last_moment(tmp_path, monkeypatch, number):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    sentence = r"a\.txt cannot be written: .* disk"
    with pytest.raises(WriteError, match=sentence), atomic_path(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_with_the_files_name_is_named(tmp_path):
    (tmp_path / "a.txt" / "inside").mkdir(parents=True)
    sentence = r"a\.txt cannot be written: a folder has its name"
    with pytest.raises(WriteError, match=sentence), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.touch()


@pytest.mark.parametrize("name", ["a/b.txt", "a/b/c.txt"])
def test_a_file_with_a_folders_name_is_named(tmp_path, name):
    (tmp_path / "a").touch()
    sentence = rf"{name} cannot be written: a folder above it is a file"
    with pytest.raises(WriteError, match=sentence), atomic_path(tmp_path / name) as temporary:
        temporary.touch()
