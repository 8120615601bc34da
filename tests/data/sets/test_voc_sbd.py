"""PASCAL VOC with SBD: which images are trained on, and which masks they are scored with."""

import numpy as np
import pytest

from tests.data.sets import test_voc
from tests.data.sets.fake_sbd import write_sbd, write_sbd_mask
from tests.data.sets.test_voc import root
from wsss.data.sets._sbd import OFFICIAL, Sbd
from wsss.store.masks import read_mask, write_mask

__all__ = ["root"]

# VOC's train is 2007_1 and 2007_2 (without a mask of VOC's own), its val 2007_3.
SIZES = {
    "2007_1": (8, 10),
    "2007_2": (8, 11),
    "2007_3": (8, 12),
    "2008_1": (9, 7),
    "2008_2": (6, 9),
}


@pytest.fixture
def sbd(root):
    folder = root.parent / "benchmark_RELEASE/dataset"
    write_sbd(folder, ["2007_3", "2008_1", "2007_1"], ["2007_2", "2008_2"], SIZES, ["2008_1"])
    for image_id in ("2008_1", "2008_2"):
        text = "<annotation><object><name>train</name></object></annotation>"
        (root / f"Annotations/{image_id}.xml").write_text(text)
    test_voc.write_jpeg(
        root / "JPEGImages/2008_2.jpg", np.zeros((*SIZES["2008_2"], 3), np.uint8), quality=90
    )
    return folder


def run(root, sbd, **changes):
    return test_voc.run(root, sbd=str(sbd), **changes)


def masks_of(prepared):
    return {truth.image_id: truth.mask for truth in prepared.ground_truth}


def test_train_is_that_of_voc_and_all_of_sbd_without_val(root, sbd):
    prepared = run(root, sbd)
    assert [(r.image_id, r.split, r.labels) for r in prepared.records] == [
        ("2007_1", "train", ("bird", "train")),
        ("2007_2", "train", ("bird",)),
        ("2008_1", "train", ("train",)),
        ("2008_2", "train", ("train",)),
        ("2007_3", "val", ("train",)),
    ]
    # SBD's img/ serves where JPEGImages has no such image.
    assert prepared.records[2].path == sbd / "img/2008_1.jpg"
    assert prepared.records[3].path == root / "JPEGImages/2008_2.jpg"


def test_scores_are_those_of_train_list_with_the_masks_of_voc(root, sbd):
    (sbd / "cls/2008_1.mat").unlink()
    masks = masks_of(run(root, sbd))
    own = {i: root / f"SegmentationClass/{i}.png" for i in ("2007_1", "2007_3")}
    assert masks == {"2007_2": None, "2008_1": None, "2008_2": None} | own
    assert not (root.parent / "out").exists()


def test_a_mask_of_voc_wins_where_all_are_scored(root, sbd):
    write_mask(root / "SegmentationClass/2008_2.png", np.full(SIZES["2008_2"], 1, np.uint8))
    masks = masks_of(run(root, sbd, evaluate_train_on="all"))
    written = root.parent / "out/SegmentationClass"
    assert masks == {
        "2007_1": root / "SegmentationClass/2007_1.png",
        "2007_2": written / "2007_2.png",
        "2008_1": written / "2008_1.png",
        "2008_2": root / "SegmentationClass/2008_2.png",
        "2007_3": root / "SegmentationClass/2007_3.png",
    }
    expected = np.zeros(SIZES["2008_1"], np.uint8)
    expected[1:4, 2:] = 2
    np.testing.assert_array_equal(read_mask(written / "2008_1.png"), expected)
    assert sorted(path.name for path in written.iterdir()) == ["2007_2.png", "2008_1.png"]


def test_classes_that_are_a_part_hold_for_masks_of_sbd(root, sbd):
    options = {"classes": ["train"], "mask_classes": ["bird", "train"]}
    prepared = run(root, sbd, evaluate_train_on="all", **options)
    assert {r.image_id: r.split for r in prepared.records} == {
        "2007_1": "train", "2008_1": "train", "2008_2": "train", "2007_3": "val", "2007_2": "ood",
    }  # fmt: skip
    mask = read_mask(masks_of(prepared)["2008_1"])
    assert set(np.unique(mask)) == {0, 1} and (mask[1:4, 2:] == 1).all()


@pytest.mark.slow
def test_several_workers_write_the_same(root, sbd):
    first = run(root, sbd, evaluate_train_on="all")
    content = [path.read_bytes() for path in masks_of(first).values()]
    assert run(root, sbd, evaluate_train_on="all", workers=2) == first
    assert [path.read_bytes() for path in masks_of(first).values()] == content


@pytest.fixture
def official(tmp_path):
    """Lists of the releases' lengths: of SBD's train 1678 are elsewhere, of its val 559."""
    voc_train, voc_val, train, val = OFFICIAL.values()
    ids = [f"{number:05d}" for number in range(20_000)]
    lists = {"voc train": ids[:voc_train], "voc val": ids[-voc_val:]}
    new = ids[voc_train : voc_train + 6820 + 2298]
    shared = lists["voc train"] + lists["voc val"]
    lists["train.txt"] = new[:6820] + shared[: train - 6820]
    lists["val.txt"] = new[6820:] + shared[::-1][: val - 2298]
    for name in ("train.txt", "val.txt"):
        (tmp_path / name).write_text("\n".join(lists[name]))
    return tmp_path, lists


def test_official_lists_give_the_augmented_train(official, caplog):
    folder, lists = official
    found = Sbd(folder, ()).augmented(lists["voc train"], lists["voc val"])
    assert len(found) == len(set(found)) == 10_582 and not set(found) & set(lists["voc val"])
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_official_lengths_of_other_lists_are_refused(official):
    folder, lists = official
    lists["train.txt"][0] = "another"
    lists["train.txt"][1] = lists["voc val"][700]
    (folder / "train.txt").write_text("\n".join(lists["train.txt"]))
    with pytest.raises(ValueError, match=r"are 10,581 images, but the lists of the releases give "):
        Sbd(folder, ()).augmented(lists["voc train"], lists["voc val"])


def test_a_part_of_sbd_beside_all_of_voc_is_named(official, caplog):
    folder, lists = official
    (folder / "val.txt").write_text("\n".join(lists["val.txt"][:2000]))
    found = Sbd(folder, ()).augmented(lists["voc train"], lists["voc val"])
    assert f"images are {len(found)}, not the augmented 10582, for of SBD's lists" in caplog.text
    assert "train.txt has 8498 images and val.txt 2000, in the release 8498 and 2857" in caplog.text


def test_a_small_set_is_not_counted(root, sbd, caplog):
    caplog.set_level("INFO")
    run(root, sbd)
    assert "4 training images: 2 of VOC, 2 more of SBD" in caplog.text
    assert "augmented" not in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sbd": "none"}, r"folder none is not SBD's, for it has no train\.txt; unpack SBD and"),
        ({"val_list": ""}, "SBD has images of VOC's val, which nobody may train on; name VOC's"),
        ({"evaluate_train_on": "some"}, "evaluate_train_on is 'some'; allowed are voc, all"),
    ],
)
def test_wrong_options_are_refused(root, sbd, changes, message):
    with pytest.raises(ValueError, match=message):
        run(root, changes.pop("sbd", sbd), **changes)


def test_missing_files_are_refused(root, sbd):
    (sbd / "cls/2008_1.mat").unlink()
    with pytest.raises(ValueError, match=r"2008_1\.mat does not exist; unpack all of SBD's cls"):
        run(root, sbd, evaluate_train_on="all")
    (sbd / "img/2008_1.jpg").unlink()
    message = r"2008_1 of .*/dataset is neither in JPEGImages nor in SBD's img; complete"
    with pytest.raises(ValueError, match=message):
        run(root, sbd)
    (sbd / "val.txt").unlink()
    with pytest.raises(ValueError, match=r"image list .*val\.txt does not exist"):
        run(root, sbd)


def test_masks_that_do_not_fit_are_refused(root, sbd):
    path = sbd / "cls/2008_1.mat"
    write_sbd_mask(path, np.zeros((7, 9), np.uint8))
    with pytest.raises(ValueError, match=r"2008_1\.mat is \(7, 9\), but its image is \(9, 7\)"):
        run(root, sbd, evaluate_train_on="all")
    write_sbd_mask(path, np.full((9, 7), 20, np.uint8))
    message = r"2008_1\.mat holds the value 20, but 2 classes take 1 to 2; name VOC's 20 classes"
    with pytest.raises(ValueError, match=message):
        run(root, sbd, evaluate_train_on="all")
