"""The scenes as a data set in a folder."""

import hashlib
import re

import numpy as np
import pytest

from wsss.data.images import read_image
from wsss.data.sets.scenes import prepare
from wsss.store.masks import read_mask
from wsss.store.tables import read_table

OPTIONS = {
    "size": (40, 56),
    "train": 8,
    "val": 3,
    "ood": 10,
    "classes": ("car", "bottle"),
    "own_background_probability": 0.9,
    "other_spurious_probability": 0.4,
    "second_instance_probability": 0.25,
    "second_class_probability": 0.15,
    "object_scale": 1.0,
    "clutter": 3,
    "mislabelled_fraction": 0.2,
    "hard_fraction": 0.4,
    "jpeg_quality": 90,
    "random_seed": 3,
    "workers": 1,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    return folder, prepare(folder, **OPTIONS)


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_records_and_files(made):
    folder, prepared = made
    assert prepared.classes == ("car", "bottle")
    assert prepared.spurious == {"car": (("road", 1),)}
    assert [record.image_id for record in prepared.records][:2] == ["train_00000", "train_00001"]
    assert [record.split for record in prepared.records] == ["train"] * 8 + ["val"] * 3 + [
        "ood"
    ] * 10
    for record, truth in zip(prepared.records, prepared.ground_truth, strict=True):
        assert (record.height, record.width) == (40, 56)
        assert record.path == folder / "JPEGImages" / f"{record.image_id}.jpg"
        assert read_image(record.path).shape == (40, 56, 3)
        mask, spurious = read_mask(truth.mask), read_mask(truth.spurious)
        assert mask.shape == spurious.shape == (40, 56)
        assert set(np.unique(mask)) <= {0, 1, 2, 255}
        assert set(np.unique(spurious)) <= {0, 1}
        assert truth.image_id == record.image_id


def test_labels_and_kinds(made):
    _, prepared = made
    kinds = []
    for record, truth in zip(prepared.records, prepared.ground_truth, strict=True):
        if record.split == "ood":
            assert record.labels == ()
            assert bool(truth.labels) == (truth.kind == "mislabelled")
            kinds.append(truth.kind)
        else:
            assert record.labels == truth.labels != ()
            assert truth.kind not in ("easy", "hard", "mislabelled", "labelled")
    assert abs(kinds.count("mislabelled") - 2) <= 1
    assert abs(kinds.count("hard") - 4) <= 1


def test_lists_and_labels_of_the_voc_layout(made):
    folder, prepared = made
    for split, name in (("train", "Segmentation"), ("val", "Segmentation"), ("ood", "Main")):
        lines = (folder / "ImageSets" / name / f"{split}.txt").read_text().splitlines()
        assert lines == [record.image_id for record in prepared.records if record.split == split]
    table = read_table(folder / "labels.csv", ["image_id", "labels"])
    assert list(table["image_id"]) == [r.image_id for r in prepared.records if r.split != "ood"]
    assert list(table["labels"]) == [
        ";".join(r.labels) for r in prepared.records if r.split != "ood"
    ]


def test_an_image_does_not_depend_on_the_counts(made, tmp_path):
    folder, _ = made
    prepare(tmp_path, **{**OPTIONS, "train": 3, "val": 0, "ood": 4})
    few, many = digests(tmp_path), digests(folder)
    common = [name for name in few if name.endswith((".jpg", ".png"))]
    assert len(common) == 3 * 7
    assert all(few[name] == many[name] for name in common)


@pytest.mark.slow
def test_more_workers_give_the_same_bytes(made, tmp_path):
    folder, prepared = made
    again = prepare(tmp_path, **{**OPTIONS, "workers": 2})
    assert digests(tmp_path) == digests(folder)
    assert [record.image_id for record in again.records] == [
        record.image_id for record in prepared.records
    ]


def test_wrong_counts_are_named(tmp_path):
    with pytest.raises(ValueError, match="train, val and ood are 8, -1, 10; use 0 or more"):
        prepare(tmp_path, **{**OPTIONS, "val": -1})


def test_a_class_that_too_few_images_leave_out_is_named(tmp_path, caplog):
    prepare(tmp_path, **{**OPTIONS, "train": 1, "second_class_probability": 0.0})
    assert re.search(r"no training image shows (car|bottle)", caplog.text)


def test_an_unknown_class_is_named_before_anything_is_drawn(tmp_path):
    with pytest.raises(ValueError, match=r"cannot draw the class.* cat"):
        prepare(tmp_path, **{**OPTIONS, "classes": ("cat",)})
    assert not list(tmp_path.iterdir())
