from dataclasses import replace
from pathlib import Path

import pytest

from wsss.data import candidates as module
from wsss.data.candidates import (
    candidate_shard,
    count_candidates,
    find_candidates,
    read_candidates,
    write_candidates,
)
from wsss.data.records import ImageRecord
from wsss.store.rows import checksum_path

TRAINED = (ImageRecord("t", Path("t.jpg"), "train", 4, 5, ("cat",)),)


def some(count):
    return [
        ImageRecord(f"i{n}", Path(f"a folder, {n % 3}/i{n}.jpg"), "ood", 3 + n, 4, ())
        for n in range(count)
    ]


@pytest.fixture
def table(tmp_path):
    write_candidates(tmp_path / "candidates.csv", iter(some(23)), TRAINED)
    return tmp_path / "candidates.csv"


def test_candidates_read_back_in_their_order(table):
    assert list(read_candidates(table)) == some(23)
    assert count_candidates(table) == 23


def test_no_candidates_are_a_table_of_none(tmp_path):
    write_candidates(tmp_path / "c.csv", [], TRAINED)
    assert list(read_candidates(tmp_path / "c.csv")) == []
    assert count_candidates(tmp_path / "c.csv") == 0
    assert candidate_shard(tmp_path / "c.csv", 2, 3) == []


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 23, 24, 60])
def test_every_candidate_is_in_one_shard(table, shards):
    parts = [candidate_shard(table, shard, shards) for shard in range(shards)]
    assert [record for part in parts for record in part] == some(23)
    assert max(map(len, parts)) <= 23 // shards + 2


def test_a_shard_that_does_not_exist_is_refused(table):
    with pytest.raises(ValueError, match="shard 3 of 3 does not exist; count from 0"):
        candidate_shard(table, 3, 3)


def test_candidates_are_found_by_their_ids(table):
    found = find_candidates(table, ["i20", "i3"])
    assert found == {"i3": some(23)[3], "i20": some(23)[20]}
    with pytest.raises(ValueError, match="image i99 is not an OoD candidate of the data set"):
        find_candidates(table, ["i3", "i99"])


@pytest.mark.parametrize("at_once", [2, 5, 100])
@pytest.mark.parametrize("name", ["i3", "t"])
def test_an_id_that_occurs_twice_is_named(tmp_path, monkeypatch, at_once, name):
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    records = [*some(11), replace(some(1)[0], image_id=name)]
    with pytest.raises(ValueError, match=f"the image id {name} of an OoD candidate occurs twice"):
        write_candidates(tmp_path / "c.csv", records, TRAINED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": "val"}, "image i0 is of split val, no candidate"),
        ({"labels": ("cat",)}, "image i0 of split ood has labels"),
        ({"height": 0}, "image i0 has no pixels"),
        ({"path": Path("a\nb.jpg")}, "image i0 has a path with control characters"),
        ({"image_id": "a/b"}, "holds a path separator"),
    ],
)
def test_what_is_no_candidate_is_refused(tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        write_candidates(tmp_path / "c.csv", [replace(some(1)[0], **changes)], TRAINED)


def test_damage_is_told_by_who_reads_all(table):
    table.write_text(table.read_text().replace("i7.jpg", "i8.jpg"))
    with pytest.raises(ValueError, match="is damaged, or was changed after it was written"):
        list(read_candidates(table))
    checksum_path(table).unlink()
    assert len(list(read_candidates(table))) == 23


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not begin with the columns"),
        ("image_id,path\n", "does not begin with the columns"),
        ("image_id,path,height,width\na,b,3\n", "no CSV file of 4 columns in every row"),
        ('image_id,path,height,width\na,"b,3,4\n', "no CSV file of 4 columns in every row"),
        ("image_id,path,height,width\na,b,3,x\n", "image a has no size in whole pixels"),
        ("image_id,path,height,width\na,b,3,\u00b2\n", "image a has no size in whole pixels"),
    ],
)
def test_what_is_no_table_of_candidates_is_refused(tmp_path, text, words):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    for read in (lambda p: list(read_candidates(p)), lambda p: candidate_shard(p, 0, 1)):
        with pytest.raises(ValueError, match=words):
            read(tmp_path / "c.csv")


def test_a_missing_table_is_named(tmp_path):
    for read in (count_candidates, lambda p: list(read_candidates(p))):
        with pytest.raises(ValueError, match=r"gone\.csv does not exist"):
            read(tmp_path / "gone.csv")
