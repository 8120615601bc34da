"""What holds for every kind of data set: a new one needs a maker here, and no other test."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tests.data.sets import fake_openimages, test_coco, test_folder, test_voc
from tests.data.sets.test_openimages import HUMAN_ROWS
from tests.data.test_scenes_prepare import OPTIONS as SCENES
from tests.source import ROOT
from wsss.data.candidates import read_candidates, write_candidates
from wsss.data.images import read_image, write_jpeg
from wsss.data.index import (
    INDEXED,
    Index,
    Prepared,
    read_classes,
    read_ground_truth,
    read_index,
    write_classes,
    write_ground_truth,
    write_index,
)
from wsss.store.masks import read_class_mask

KINDS = sorted(p.stem for p in (ROOT / "wsss/data/sets").glob("[!_]*.py"))


def make_scenes(root):
    return {name: value for name, value in SCENES.items() if name != "workers"}


def make_voc(root):
    for number in range(4):
        image = np.full((8, 10 + number, 3), 30 * number, np.uint8)
        write_jpeg(root / f"JPEGImages/{number}.jpg", image, quality=90)
    for name, ids in (("train", "0\n1\n"), ("val", "2\n"), ("ood", "3\n")):
        path = root / f"ImageSets/Segmentation/{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ids)
    (root / "labels.csv").write_text("image_id,labels\n0,bird\n1,train\n2,bird;train\n")
    return test_voc.OPTIONS | {"ood_list": "ImageSets/Segmentation/ood.txt"}


def make_coco(root):
    test_coco.write(root)
    return test_coco.OPTIONS


def make_folder(root):
    test_folder.write(root)
    test_folder.draw(root, "3", 1, 2)
    return test_folder.OPTIONS | {"masks": "masks", "mask_classes": ["train", "boat", "bird"]}


def make_openimages(root):
    fake_openimages.write_openimages(root, HUMAN_ROWS, images=range(1, 10))
    return fake_openimages.OPTIONS


MAKERS = {
    "coco": make_coco,
    "folder": make_folder,
    "openimages": make_openimages,
    "scenes": make_scenes,
    "voc": make_voc,
}


def test_every_kind_has_a_maker():
    assert sorted(MAKERS) == KINDS


@pytest.fixture(params=KINDS)
def run(request, tmp_path):
    """A function that prepares a small set of a kind into a folder, with other options."""
    root = tmp_path / "root"
    options = {**MAKERS[request.param](root), "workers": 1}
    if request.param != "scenes":
        options["root"] = str(root)
    prepare = importlib.import_module(f"wsss.data.sets.{request.param}").prepare

    def run(folder="out", **changes):
        return prepare(tmp_path / folder, **{**options, **changes})

    run.options = options
    return run


def content(prepared):
    """Everything that is prepared, its stream read."""
    return (
        prepared.classes,
        [(r.image_id, r.split, r.height, r.width, r.labels) for r in prepared.records],
        list(prepared.candidates),
        [(t.image_id, t.mask and t.mask.read_bytes(), t.labels) for t in prepared.ground_truth],
    )


def test_it_is_a_data_set_of_images_that_are_there(run):
    prepared = run()
    assert isinstance(prepared, Prepared)
    candidates = [r for r in [*prepared.records, *prepared.candidates] if r.split == "ood"]
    images = [r for r in prepared.records if r.split != "ood"]
    assert candidates and {"train"} <= {r.split for r in images} <= set(INDEXED)
    assert any(r.labels for r in images) and not any(r.labels for r in candidates)
    ids = [r.image_id for r in [*images, *candidates]]
    assert len(set(ids)) == len(ids)
    for record in [*images, *candidates]:
        assert read_image(record.path).shape == (record.height, record.width, 3)
        assert [name for name in prepared.classes if name in record.labels] == list(record.labels)


def test_its_masks_fit_their_images(run):
    prepared = run()
    sizes = {record.image_id: (record.height, record.width) for record in prepared.records}
    for truth in prepared.ground_truth:
        if truth.mask:
            mask = read_class_mask(truth.mask, num_classes=len(prepared.classes) + 1)
            assert mask.shape == sizes[truth.image_id]


def test_what_is_written_of_it_reads_back(run, tmp_path):
    prepared = run()
    index, classes, truth, ood = (tmp_path / f"{name}.csv" for name in "abcd")
    indexed = tuple(record for record in prepared.records if record.split in INDEXED)
    own = [record for record in prepared.records if record.split not in INDEXED]
    candidates = [*own, *prepared.candidates]
    write_candidates(ood, iter(candidates), indexed)
    write_classes(classes, prepared.classes, prepared.spurious)
    write_ground_truth(truth, prepared.ground_truth)
    write_index(index, prepared.records)
    assert read_index(index, classes) == Index(prepared.classes, indexed)
    assert read_classes(classes) == (prepared.classes, dict(prepared.spurious))
    assert list(read_candidates(ood)) == candidates
    assert tuple(read_ground_truth(truth).values()) == prepared.ground_truth


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}


def test_it_writes_into_its_folder_alone_and_the_same_each_time(run, tmp_path):
    before = files_of(tmp_path)
    first = content(run())
    changed = {path for path, time in files_of(tmp_path).items() if before.get(path) != time}
    assert all(path in (tmp_path, tmp_path / "out") or tmp_path / "out" in path.parents
               for path in changed)  # fmt: skip
    assert content(run("again"))[0] == first[0] and content(run()) == first


@pytest.mark.slow
def test_workers_change_nothing(run):
    assert content(run(workers=2)) == content(run())


def test_a_limit_keeps_an_image_of_each_class(run):
    if "limit" not in run.options:
        pytest.skip("has numbers of images instead")
    whole = run()
    few = run(limit=len(whole.classes))
    images, fewer = ([*found.records, *found.candidates] for found in (whole, few))
    for split in ("train", "val", "ood"):
        every, kept = (
            {record.image_id for record in found if record.split == split}
            for found in (images, fewer)
        )
        assert len(kept) <= len(whole.classes) and kept <= every
    shown = [{name for record in found for name in record.labels} for found in (images, fewer)]
    assert shown[0] == shown[1] == set(whole.classes)


def test_a_missing_root_is_told_in_a_sentence(run, tmp_path):
    if "root" not in run.options:
        pytest.skip("is drawn")
    with pytest.raises(ValueError, match=r"none.*does not exist; .*link") as error:
        run(root=str(tmp_path / "none"))
    assert "\n" not in str(error.value)
