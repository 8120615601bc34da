import numpy as np
import pandas as pd
import pytest

from tests.data.test_scenes_prepare import OPTIONS as SCENES
from wsss.data.images import write_jpeg
from wsss.data.sets import scenes
from wsss.data.sets.voc import prepare
from wsss.store.masks import write_mask
from wsss.store.tables import write_table

OPTIONS = {
    "train_list": "ImageSets/Segmentation/train.txt",
    "val_list": "ImageSets/Segmentation/val.txt",
    "test_root": "",
    "test_list": "ImageSets/Segmentation/test.txt",
    "ood_list": "",
    "ood_folder": "",
    "sbd": "",
    "evaluate_train_on": "voc",
    "masks": "SegmentationClass",
    "classes": ["bird", "train"],
    "mask_classes": [],
    "limit": 0,
    "max_megapixels": 4.0,
    "random_seed": 0,
    "workers": 1,
}
LABELS = {"2007_1": ["train", "bird"], "2007_2": ["bird"], "2007_3": ["train", "train"]}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "VOC2012"
    for folder in ("Annotations", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for number, (image_id, labels) in enumerate(LABELS.items()):
        size = (8, 10 + number)
        write_jpeg(root / f"JPEGImages/{image_id}.jpg", np.zeros((*size, 3), np.uint8), quality=90)
        objects = "".join(
            f"<object><name>{name}</name><difficult>1</difficult><part><name>head</name></part>"
            "</object>"
            for name in labels
        )
        (root / f"Annotations/{image_id}.xml").write_text(f"<annotation>{objects}</annotation>")
        if number != 1:
            write_mask(root / f"SegmentationClass/{image_id}.png", np.ones(size, np.uint8))
    (root / OPTIONS["train_list"]).write_text("2007_1\n2007_2\n\n")
    (root / OPTIONS["val_list"]).write_text("2007_3\n")
    write_jpeg(tmp_path / "ood/b.jpg", np.zeros((3, 4, 3), np.uint8), quality=90)
    write_jpeg(tmp_path / "ood/a.jpg", np.zeros((5, 6, 3), np.uint8), quality=90)
    return root


def run(root, **changes):
    return prepare(root.parent / "out", root=str(root), **{**OPTIONS, **changes})


def test_lists_labels_of_the_annotations_and_masks(root):
    prepared = run(root, ood_folder=str(root.parent / "ood"))
    assert [(r.image_id, r.split, r.width, r.labels) for r in prepared.records] == [
        ("2007_1", "train", 10, ("bird", "train")),
        ("2007_2", "train", 11, ("bird",)),
        ("2007_3", "val", 12, ("train",)),
        ("a", "ood", 6, ()),
        ("b", "ood", 4, ()),
    ]
    masks = {truth.image_id: truth.mask for truth in prepared.ground_truth}
    assert masks == {
        "2007_1": root / "SegmentationClass/2007_1.png",
        "2007_2": None,
        "2007_3": root / "SegmentationClass/2007_3.png",
    }
    assert not (root.parent / "out").exists()


def test_the_lists_of_train_aug_hold_two_paths_per_line(root):
    lines = [f"/JPEGImages/{i}.jpg /SegmentationClassAug/{i}.png" for i in ("2007_1", "2007_2")]
    (root / OPTIONS["train_list"]).write_text("\n".join(lines))
    assert run(root).records == run(root).records
    assert [r.image_id for r in run(root, val_list="").records] == ["2007_1", "2007_2"]


def test_labels_of_a_table_come_first(root):
    rows = [("2007_1", "bird;train"), ("2007_2", "train"), ("2007_3", "")]
    write_table(root / "labels.csv", pd.DataFrame(rows, columns=["image_id", "labels"]))
    assert [r.labels for r in run(root).records] == [("bird", "train"), ("train",), ()]
    write_table(root / "labels.csv", pd.DataFrame(rows[:2], columns=["image_id", "labels"]))
    with pytest.raises(
        ValueError, match=r"labels\.csv has no row for image 2007_3; add its labels"
    ):
        run(root)


def test_a_limit_keeps_every_class(root):
    for random_seed in range(5):
        prepared = run(root, limit=1, random_seed=random_seed, ood_folder=str(root.parent / "ood"))
        splits = [r.split for r in prepared.records]
        assert splits == ["train", "val", "ood"] and prepared.records[0].image_id == "2007_1"


def test_a_class_that_no_image_shows_is_named(root, caplog):
    assert run(root, classes=["bird", "train", "cat"]).classes == ("bird", "train", "cat")
    assert "no training image shows cat" in caplog.text


@pytest.mark.slow
def test_several_workers_read_the_same(root):
    assert run(root, workers=2) == run(root)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_list": "none.txt"}, r"image list .*none\.txt does not exist; link"),
        ({"ood_folder": "none"}, "folder none does not exist; link the data set there"),
        ({"classes": ["bird"]}, r"2007_1 has the unknown class.* train; known are bird"),
    ],
)
def test_wrong_options_are_refused(root, changes, message):
    with pytest.raises(ValueError, match=message):
        run(root, **changes)


def test_missing_and_broken_files_are_refused(root, tmp_path):
    with pytest.raises(ValueError, match=r"folder .*none/JPEGImages does not exist; link"):
        run(tmp_path / "none")
    xml = root / "Annotations/2007_2.xml"
    content = xml.read_text()
    xml.write_text(content[:30])
    with pytest.raises(ValueError, match=r"2007_2\.xml are no XML"):
        run(root)
    xml.unlink()
    with pytest.raises(ValueError, match=r"2007_2\.xml do not exist; .*write a labels\.csv"):
        run(root)
    xml.write_text(content)
    (root / "JPEGImages/2007_2.jpg").unlink()
    with pytest.raises(ValueError, match=r"image 2007_2 of .*train\.txt is not in JPEGImages"):
        run(root)


def test_a_mask_of_another_size_is_refused(root):
    write_mask(root / "SegmentationClass/2007_1.png", np.zeros((10, 8), np.uint8))
    with pytest.raises(ValueError, match=r"2007_1\.png is \(10, 8\), but its image is \(8, 10\)"):
        run(root)


def test_the_scenes_read_as_a_set_of_ones_own(tmp_path):
    drawn = scenes.prepare(tmp_path / "scenes", **SCENES)
    read = run(tmp_path / "scenes", ood_list="ImageSets/Main/ood.txt", classes=["car", "bottle"])
    assert sorted(read.records, key=str) == sorted(drawn.records, key=str)
    masks = {truth.image_id: truth.mask for truth in drawn.ground_truth}
    assert all(truth.mask == masks[truth.image_id] for truth in read.ground_truth)


def test_test_images_are_those_of_their_own_list(root):
    other = root.parent / "VOC2012_test"
    (other / "ImageSets/Segmentation").mkdir(parents=True)
    (other / OPTIONS["test_list"]).write_text("2008_2\n2008_1\n")
    for number, image_id in enumerate(("2008_1", "2008_2", "2008_3")):
        pixels = np.full((4, 5 + number, 3), 9, np.uint8)
        write_jpeg(other / f"JPEGImages/{image_id}.jpg", pixels, quality=90)
    prepared = run(root, test_root=str(other))
    tested = [r for r in prepared.records if r.split == "test"]
    assert [(r.image_id, r.width, r.labels) for r in tested] == [
        ("2008_1", 5, ()), ("2008_2", 6, ())
    ]  # fmt: skip
    assert not {"2008_1", "2008_2"} & {truth.image_id for truth in prepared.ground_truth}
    assert sum(r.split == "test" for r in run(root, test_root=str(other), limit=1).records) == 1
    (other / OPTIONS["test_list"]).write_text("2008_9\n")
    with pytest.raises(ValueError, match=r"image 2008_9 of .*test\.txt is not in JPEGImages"):
        run(root, test_root=str(other))
