from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wsss.data.index import (
    GroundTruthRecord,
    ImageRecord,
    Index,
    Prepared,
    check_records,
    group_by_size,
    read_classes,
    read_ground_truth,
    read_index,
    shard_of,
    spurious_pairs,
    write_classes,
    write_ground_truth,
    write_index,
)
from wsss.store.rows import checksum_path

CLASSES = ("train", "potted plant", "boat")
RECORDS = (
    ImageRecord("000123", Path("images/000123.jpg"), "train", 40, 30, ("boat", "train")),
    ImageRecord("7", Path("images/7.jpg"), "train", 30, 40, ("potted plant",)),
    ImageRecord("x", Path("images/x, y.jpg"), "val", 40, 30, ("boat",)),
    ImageRecord("ood_1", Path("ood/1.jpg"), "ood", 40, 30, ()),
)
SPURIOUS = {"train": (("rails", 1), ("platform", 3)), "boat": (("water", 2),)}


@pytest.fixture
def files(tmp_path):
    write_index(tmp_path / "index.csv", RECORDS)
    write_classes(tmp_path / "classes.csv", CLASSES, SPURIOUS)
    # Without a checksum, as a table made by hand is, so that tests may change it.
    checksum_path(tmp_path / "index.csv").unlink()
    return tmp_path / "index.csv", tmp_path / "classes.csv"


def test_the_index_reads_back(files):
    assert read_index(*files) == Index(CLASSES, RECORDS[:3])
    assert read_classes(files[1]) == (CLASSES, SPURIOUS)


def test_a_class_may_have_several_backgrounds(files):
    text = files[1].read_text("utf-8")
    assert "train,rails;platform,1;3\n" in text and "boat,water,2\n" in text
    assert spurious_pairs(CLASSES, SPURIOUS) == sorted(
        (CLASSES.index(name), number) for name, own in SPURIOUS.items() for _, number in own
    )


def test_backgrounds_and_their_ids_must_fit(files, tmp_path):
    checksum_path(files[1]).unlink()
    files[1].write_text(files[1].read_text("utf-8").replace("1;3", "1"), "utf-8")
    with pytest.raises(
        ValueError, match=r"has the backgrounds rails;platform, but the spurious_id 1"
    ):
        read_classes(files[1])
    for names, words in (("a;b", "contain ';'"), ("", "are empty")):
        with pytest.raises(ValueError, match=f"of boat: class names .* {words}"):
            write_classes(tmp_path / "c.csv", CLASSES, {"boat": [(names, 1)]})
    with pytest.raises(ValueError, match="of boat: a class name occurs twice in sea, sea"):
        write_classes(tmp_path / "c.csv", CLASSES, {"boat": [("sea", 1), ("sea", 2)]})


def test_splits_classes_and_labels_of_an_image(files):
    index = read_index(*files)
    assert index.split("train") == list(RECORDS[:2]) and index.split("val") == [RECORDS[2]]
    assert index.class_ids(RECORDS[0]).tolist() == [0, 2]
    assert index.class_ids(RECORDS[3]).tolist() == []
    labels = index.image_labels(RECORDS[0])
    assert labels.tolist() == [1, 0, 1] and labels.dtype == np.float32
    with pytest.raises(ValueError, match="split 'ood' is unknown; the index has train, val, test"):
        index.split("ood")


def test_the_ground_truth_reads_back(tmp_path):
    records = (
        GroundTruthRecord("000123", Path("m.png"), Path("s.png"), ("boat", "train"), "water"),
        GroundTruthRecord("ood_1", None, None, (), "easy"),
    )
    write_ground_truth(tmp_path / "g.csv", records)
    assert read_ground_truth(tmp_path / "g.csv") == {record.image_id: record for record in records}


def test_a_repeated_image_in_the_ground_truth_is_refused(tmp_path):
    write_ground_truth(tmp_path / "g.csv", [GroundTruthRecord("7", None, None, (), "")] * 2)
    with pytest.raises(ValueError, match=r"g\.csv: image id 7 occurs twice"):
        read_ground_truth(tmp_path / "g.csv")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("train", "cat")}, "image 7 has the unknown class.* cat; known are train, pot"),
        ({"labels": ("train", "train")}, "image 7 names a class twice"),
        ({"image_id": "000123"}, "image id 000123 occurs twice"),
        ({"split": "all"}, "image 7 has the unknown split 'all'; the splits are train, val, test,"),
        ({"height": 0}, "image 7 has no pixels"),
    ],
)
def test_wrong_records_are_refused_in_the_file_and_in_memory(files, changes, message):
    records = (RECORDS[0], replace(RECORDS[1], **changes), *RECORDS[2:])
    write_index(files[0], records)
    with pytest.raises(ValueError, match=rf"index\.csv: {message}"):
        read_index(*files)
    with pytest.raises(ValueError, match=f"the data set: {message}"):
        Prepared(CLASSES, records, ())


def test_an_ood_image_with_labels_is_refused():
    records = (RECORDS[0], replace(RECORDS[1], split="ood"))
    with pytest.raises(ValueError, match="the data set: image 7 of split ood has labels"):
        Prepared(CLASSES, records, ())


def test_an_index_of_an_earlier_version_is_refused(files):
    with files[0].open("a") as file:
        file.write("old,old.jpg,ood,4,4,\n")
    with pytest.raises(ValueError, match="is of another version, which had the OoD candidates in"):
        read_index(*files)


def test_a_class_without_training_image_is_named_in_a_warning(files, caplog):
    records = (RECORDS[0], replace(RECORDS[1], labels=("train",)), *RECORDS[2:])
    Prepared(CLASSES, records, ())
    assert "no training image shows potted plant: nothing will be learnt of it" in caplog.text
    write_index(files[0], records)
    index = read_index(*files)
    assert index.classes == CLASSES and index.image_labels(records[1]).tolist() == [1, 0, 0]


def test_without_any_class_in_training_images_there_is_nothing_to_learn(files):
    records = (*(replace(record, labels=()) for record in RECORDS[:2]), *RECORDS[2:])
    message = "no training image shows any of the classes train, potted plant, boat; add images"
    write_index(files[0], records)
    with pytest.raises(ValueError, match=rf"index\.csv: {message}"):
        read_index(*files)
    with pytest.raises(ValueError, match=f"the data set: {message}"):
        Prepared(CLASSES, records, ())


def test_a_size_that_is_no_number_is_refused(files):
    files[0].write_text(files[0].read_text().replace(",30,40,", ",30,wide,"))
    with pytest.raises(ValueError, match=r"index\.csv: column width must hold whole numbers"):
        read_index(*files)


def test_a_missing_column_is_refused(files):
    files[0].write_text(files[0].read_text().replace("split", "part"))
    with pytest.raises(
        ValueError, match=r"index\.csv lacks the column\(s\) split; it has image_id"
    ):
        read_index(*files)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ((), "there are no classes"),
        (("a", ""), "are empty or contain"),
        (("a", "b;c"), "are empty or contain"),
        (("a", "a"), "occurs twice"),
        (tuple(map(str, range(255))), "at most 254"),
    ],
)
def test_wrong_classes_are_refused(tmp_path, classes, message):
    with pytest.raises(ValueError, match=message):
        write_classes(tmp_path / "classes.csv", classes, {})
    with pytest.raises(ValueError, match=message):
        check_records([], classes, where="here")


def test_ground_truth_and_backgrounds_of_nothing_are_refused():
    stray = (GroundTruthRecord("9", None, None, (), ""),)
    with pytest.raises(ValueError, match="ground truth of image 9 belongs to no image"):
        Prepared(CLASSES, RECORDS, stray)
    with pytest.raises(ValueError, match=r"unknown class.* cat"):
        Prepared(CLASSES, RECORDS, (), {"cat": ("sofa", 1)})


def test_shards_share_the_records():
    shards = [shard_of(RECORDS, shard, 3) for shard in range(3)]
    assert [len(shard) for shard in shards] == [2, 1, 1]
    assert sorted(r.image_id for shard in shards for r in shard) == sorted(
        r.image_id for r in RECORDS
    )
    assert shard_of(RECORDS[:1], 2, 3) == []
    with pytest.raises(ValueError, match="shard 3 of 3 does not exist"):
        shard_of(RECORDS, 3, 3)


def test_groups_are_of_one_exact_size_and_keep_the_order():
    groups = group_by_size(RECORDS)
    assert [[record.image_id for record in group] for group in groups] == [
        ["000123", "x", "ood_1"],
        ["7"],
    ]
