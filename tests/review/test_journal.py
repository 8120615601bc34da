"""Journals: what is in them is on the disk, a torn end goes, anything else is refused."""

import os

import pytest

from tests.faults.disks import on_small_disk
from wsss.review.journal import Entry, Journal, read_journal

ENTRIES = [
    Entry("a", 1000.5, "open"),
    Entry("b", 1001.25, "decide", ("image 1", "größe"), "keep", "train"),
    Entry("c", 1002.0, "undo"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "anna.jsonl"


def write(path, entries=ENTRIES):
    journal = Journal(path)
    for entry in entries:
        journal.append(entry)
    journal.close()
    return path.read_bytes()


def test_what_was_written_is_read_again(path):
    content = write(path)
    assert read_journal(path) == (ENTRIES, len(content))
    assert Journal(path).entries == ENTRIES


def test_a_journal_without_a_file_is_empty_and_makes_none(path):
    assert Journal(path).entries == []
    assert not path.exists()


@pytest.mark.parametrize("lost", range(1, 100))
def test_a_torn_last_line_is_lost_alone_and_more_can_follow(path, lost):
    content = write(path)
    last = content.splitlines(keepends=True)[-1]
    path.write_bytes(content[: -min(lost, len(last))])
    journal = Journal(path)
    assert journal.entries == ENTRIES[:-1]
    journal.append(ENTRIES[-1])
    journal.close()
    assert path.read_bytes() == content


def test_zeros_that_a_power_loss_left_at_the_end_go(path):
    content = write(path)
    path.write_bytes(content + bytes(4096))
    journal = Journal(path)
    journal.append(Entry("d", 1003.0, "redo"))
    journal.close()
    assert [entry.id for entry in read_journal(path)[0]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("position", [0, 5, 12, 40])
def test_a_damaged_line_is_named(path, position):
    content = bytearray(write(path))
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"anna.jsonl, line 1 is damaged .*from a copy"):
        read_journal(path)


@pytest.mark.parametrize("text", ['{"id": 1}', "[]", '{"action": "decide"', "null"])
def test_a_line_with_a_right_checksum_may_still_be_no_entry(path, text):
    import zlib

    path.parent.mkdir()
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(text.encode()), text.encode()))
    with pytest.raises(ValueError, match="line 1 is damaged"):
        read_journal(path)


def test_a_journal_that_may_not_be_read_says_so(tmp_path):
    folder = tmp_path / "anna.jsonl"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"anna.jsonl cannot be read \(Is a directory\)"):
        read_journal(folder)


def test_a_write_that_fails_half_way_leaves_nothing(path, monkeypatch):
    content = write(path)
    journal, whole = Journal(path), os.write

    def half(file, line):
        monkeypatch.setattr(os, "write", full)
        return whole(file, bytes(line)[:10])

    def full(file, line):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(ValueError, match=r"anna[.]jsonl cannot be written: the disk is full"):
        journal.append(Entry("d", 1003.0, "redo"))
    assert path.read_bytes() == content
    monkeypatch.setattr(os, "write", whole)
    journal.append(Entry("d", 1003.0, "redo"))
    assert [entry.id for entry in read_journal(path)[0]] == ["a", "b", "c", "d"]


FILL = """
import sys
from pathlib import Path
from wsss.disk import WriteError
from wsss.review.journal import Entry, Journal, read_journal
path = Path(sys.argv[1]) / "anna.jsonl"
journal, count = Journal(path), 0
try:
    while True:
        journal.append(Entry(str(count), 1.0, "decide", ("image",) * 50, "keep", "train"))
        count += 1
except WriteError as error:
    print(error)
entries, size = read_journal(path)
print(len(entries) == count > 10, size == path.stat().st_size)
"""


def test_on_a_full_disk_what_was_taken_is_whole_and_the_next_is_refused(tmp_path):
    done = on_small_disk(tmp_path, "64k", "-c", FILL, tmp_path)
    sentence, counts = done.stdout.splitlines()
    assert sentence.endswith(
        "cannot be written: the disk is full; make room on it, and start again"
    )
    assert counts == "True True", done.stderr
