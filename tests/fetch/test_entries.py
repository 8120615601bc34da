"""Whole entries: complete ones, killed ones, several processes at a time."""

import hashlib
import logging
import signal
from types import SimpleNamespace

import pytest
import yaml

from tests.fetch.archives import FILES, LIMIT, write_archive
from wsss.fetch import entries, unpack
from wsss.fetch.catalogue import read_catalogue
from wsss.fetch.entries import fetch

# In a process of its own, which may be killed; the second line is what a test adds.
FETCH = """
import logging, os, sys
from pathlib import Path
from wsss.fetch import catalogue, entries, unpack
entries.read_catalogue = lambda: catalogue.read_catalogue(Path("catalogue.yaml"))
{more}
os.chdir(sys.argv[1])
logging.basicConfig(level=logging.INFO)
entries.fetch("set")
"""
KILLED_WHILE_UNPACKING = """
copy, copied = unpack.shutil.copyfileobj, []
def copyfileobj(content, file, length):
    copied.append(copy(content, file, length))
    if len(copied) == 2:
        os.kill(os.getpid(), 9)
unpack.shutil.copyfileobj = copyfileobj
"""
KILLED_BEFORE_THE_LAST_MOVE = """
rename = Path.rename
def killed(path, target):
    if target.name == "list.txt":
        os.kill(os.getpid(), 9)
    return rename(path, target)
Path.rename = killed
"""
KILLED_AFTER_THE_LAST_MOVE = """
from wsss.fetch import files
files.unpack = lambda *call, **keys: (unpack.unpack(*call, **keys), os.kill(os.getpid(), 9))
"""
PLACES = ["images/a.jpg", "images/deep/b.jpg", "lists/list.txt", "w.pth"]


@pytest.fixture
def archive(tmp_path_factory):
    files = FILES | {f"top/images/{n}.jpg": bytes([n]) * 9000 for n in range(100)}
    return write_archive(tmp_path_factory.mktemp("made") / "set.tar", files).read_bytes()


@pytest.fixture
def project(site, tmp_path, archive, monkeypatch):
    """A folder with a catalogue of one data set, of an archive and a file, on the local site."""
    site.serve("/set.tar", archive)
    site.serve("/w.pth", b"weights")
    entry = {
        "title": "A data set of the tests",
        "licence": "CC0, whoever you are",
        "folder": "data/set",
        "files": [
            {
                "name": "set.tar",
                "addresses": [f"{site.address}/set.tar"],
                "size": len(archive),
                "sha256": hashlib.sha256(archive).hexdigest(),
                "unpacked": 10 * LIMIT,
                "unpack": {"top/images": "images", "top/list.txt": "lists/list.txt"},
            },
            {"name": "w.pth", "addresses": [f"{site.address}/w.pth"], "size": 7},
        ],
    }
    (tmp_path / "catalogue.yaml").write_text(yaml.safe_dump({"set": entry}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        entries, "read_catalogue", lambda: read_catalogue(tmp_path / "catalogue.yaml")
    )
    monkeypatch.setattr(unpack.os, "sync", lambda: None)
    return tmp_path


def fetched(project):
    """What stands in the entry's folder, without hidden files and the hundred images."""
    folder = project / "data" / "set"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert not {name for name in found if "unpacking" in name or name.endswith(".tmp")}
    return sorted(n for n in found if not n.startswith(".") and not n[7:-4].isdecimal())


def paths(site):
    return [path for path, _ in site.asked]


def test_an_entry_is_fetched_once_and_its_licence_is_named_first(site, project, caplog):
    caplog.set_level(logging.INFO)
    fetch("set")
    assert fetched(project) == PLACES
    assert paths(site) == ["/set.tar", "/w.pth"]
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:3] == [
        "set: A data set of the tests",
        "licence: CC0, whoever you are",
        f"set.tar: from {site.address}/set.tar",
    ]
    assert lines[-1] == "set: complete in data/set"
    caplog.clear()
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    fetch("set")
    assert [record.getMessage() for record in caplog.records] == [
        "set: data/set has all of it already"
    ]
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before
    assert len(site.asked) == 2


def test_an_unknown_name(project):
    with pytest.raises(
        ValueError, match=r"^sat cannot be fetched; did you mean set\? known are se"
    ):
        fetch("sat")


def test_room_is_asked_for_the_most_that_stands_there_at_once(project, monkeypatch, archive):
    found = []
    monkeypatch.setattr(entries, "check_room", lambda *call: found.append(call) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fetch("set")
    # The archive beside what was in it; then the file of seven bytes, without the archive.
    assert found[0][1:] == (len(archive) + 10 * LIMIT, "fetching set")


def test_a_disk_that_is_too_small_is_named(site, project, monkeypatch):
    monkeypatch.setattr("wsss.fetch.room.shutil.disk_usage", lambda _: SimpleNamespace(free=10**6))
    words = (
        r"^fetching set needs 1\d\.\d MB in data/set, whose disk has 1\.0 MB free; make room ther"
    )
    with pytest.raises(ValueError, match=words):
        fetch("set")
    assert site.asked == []


def test_a_link_to_a_disk_that_is_not_there_is_named(site, project):
    (project / "data").mkdir()
    (project / "data/set").symlink_to("/nowhere/at/all")
    with pytest.raises(
        ValueError, match=r"^data/set is a link to nothing; mend it, or delete it a"
    ):
        fetch("set")


def test_a_folder_that_may_not_be_written_is_named(site, project):
    (project / "data").write_text("a file")
    with pytest.raises(ValueError, match="data/set cannot be written: a folder above it is a file"):
        fetch("set")


def test_images_of_a_list(site, project, caplog):
    caplog.set_level(logging.INFO)
    entry = {
        "title": "Images of the tests",
        "licence": "CC0, whoever you are",
        "folder": "data/pool",
        "images": {
            "list": "images.txt",
            "address": f"{site.address}/{{split}}/{{image_id}}.jpg",
            "splits": ["train"],
            "mean_size": 10,
        },
    }
    (project / "catalogue.yaml").write_text(yaml.safe_dump({"set": entry}))
    image = b"\xff\xd8\xffpicture"
    site.serve("/train/0123456789abcdef.jpg", image)
    with pytest.raises(ValueError, match=r"^data/pool/images\.txt does not exist; write one image"):
        fetch("set")
    (project / "data/pool").mkdir(parents=True)
    (project / "data/pool/images.txt").write_text("0123456789abcdef\n")
    fetch("set")
    assert (project / "data/pool/train/0123456789abcdef.jpg").read_bytes() == image
    fetch("set")
    assert caplog.messages[-1] == "set: data/pool has all of it already" and len(site.asked) == 1


def run(start_code, project, more=""):
    return start_code(FETCH.format(more=more), project)


def test_a_process_killed_in_a_download_loses_nothing(site, project, start_code, archive):
    site.go_on.clear()
    process = run(start_code, project)
    assert site.half_way.wait(60)
    half = len(archive) // 2
    part = project / "data" / "set" / "set.tar.part"
    while not part.exists() or part.stat().st_size < half:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    site.go_on.set()
    fetch("set")
    assert fetched(project) == PLACES
    assert site.asked[:2] == [("/set.tar", None), ("/set.tar", f"bytes={half}-")]


@pytest.mark.parametrize("more", [KILLED_WHILE_UNPACKING, KILLED_BEFORE_THE_LAST_MOVE])
def test_a_process_killed_while_unpacking_loses_nothing(site, project, start_code, more):
    process = run(start_code, project, more)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    folder = project / "data" / "set"
    moved = more == KILLED_BEFORE_THE_LAST_MOVE
    assert (folder / "images").is_dir() == moved and not (folder / "lists" / "list.txt").exists()
    assert list(folder.rglob("*.unpacking"))
    fetch("set")
    assert fetched(project) == PLACES
    assert len(list((folder / "images").iterdir())) == 102
    # It was not downloaded again.
    assert paths(site) == ["/set.tar", "/w.pth"]


def test_a_process_killed_after_unpacking_leaves_no_archive(site, project, start_code, monkeypatch):
    process = run(start_code, project, KILLED_AFTER_THE_LAST_MOVE)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert fetched(project) == [*PLACES[:3], "set.tar.part", "set.tar.part.json"]
    fetch("set")
    assert fetched(project) == PLACES and paths(site) == ["/set.tar", "/w.pth"]
    # So too where nothing else is missing.
    left = project / "data/set/w.pth.part"
    left.write_bytes(b"wei")
    monkeypatch.setattr("wsss.fetch.room.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    fetch("set")
    assert fetched(project) == PLACES and len(site.asked) == 2


def test_several_processes_at_once_fetch_once(site, project, start_code):
    site.go_on.clear()
    processes = [run(start_code, project) for _ in range(3)]
    assert site.half_way.wait(60)
    site.go_on.set()
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert fetched(project) == PLACES
    assert paths(site) == ["/set.tar", "/w.pth"]


def test_a_process_goes_on_where_a_killed_one_had_the_hold(site, project, start_code):
    site.go_on.clear()
    first = run(start_code, project)
    assert site.half_way.wait(60)
    second = run(start_code, project)
    assert "waiting until it ends" in second.stderr.readline() + second.stderr.readline() + (
        second.stderr.readline()
    )
    first.send_signal(signal.SIGKILL)
    site.go_on.set()
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert fetched(project) == PLACES
