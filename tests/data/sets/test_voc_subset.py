"""Some of the classes that PASCAL VOC's masks and labels know."""

import shutil

import numpy as np
import pytest

from tests.data.sets.test_voc import root, run
from wsss.data.images import write_jpeg
from wsss.store.masks import read_mask, write_mask

__all__ = ["root"]

# Of the train images 2007_1 shows both classes and 2007_2 a bird, val shows a train.
ALL = ["bird", "train"]


def values_of(prepared, image_id):
    masks = {truth.image_id: truth.mask for truth in prepared.ground_truth}
    return set(np.unique(read_mask(masks[image_id])).tolist())


def test_train_images_without_a_class_become_candidates_known_to_show_none(root, caplog):
    caplog.set_level("INFO")
    prepared = run(root, classes=["train"], mask_classes=ALL)
    assert [(r.image_id, r.split, r.labels) for r in prepared.records] == [
        ("2007_1", "train", ("train",)),
        ("2007_3", "val", ("train",)),
        ("2007_2", "ood", ()),
    ]
    truth = prepared.ground_truth[2]
    assert (truth.image_id, truth.mask, truth.labels) == ("2007_2", None, ())
    assert "1 of 2 train images show none of the classes and become OoD candidates" in caplog.text
    assert "0 of 1 val images show none of the classes and are left out" in caplog.text


def test_val_images_without_a_class_are_left_out(root, caplog):
    caplog.set_level("INFO")
    prepared = run(root, classes=["bird"], mask_classes=ALL)
    assert {r.image_id: r.split for r in prepared.records} == {
        "2007_1": "train",
        "2007_2": "train",
    }
    assert len(prepared.ground_truth) == 2
    assert "1 of 1 val images show none of the classes and are left out" in caplog.text


def test_pixels_of_other_classes_become_background(root):
    mask = np.array([[0, 1, 2, 255, 2] * 2] * 8, np.uint8)
    write_mask(root / "SegmentationClass/2007_1.png", mask)
    prepared = run(root, classes=["train"], mask_classes=ALL)
    assert prepared.ground_truth[0].mask == root.parent / "out/SegmentationClass/2007_1.png"
    expected = np.array([[0, 0, 1, 255, 1] * 2] * 8, np.uint8)
    np.testing.assert_array_equal(read_mask(prepared.ground_truth[0].mask), expected)
    # What the data set's folder holds stays.
    np.testing.assert_array_equal(read_mask(root / "SegmentationClass/2007_1.png"), mask)


def test_classes_may_stand_in_another_order_than_the_values_of_the_masks(root):
    turned = run(root, classes=ALL[::-1], mask_classes=ALL)
    assert turned.classes == ("train", "bird") and turned.records[0].labels == ("train", "bird")
    assert values_of(run(root, mask_classes=ALL), "2007_1") == {1}
    assert values_of(turned, "2007_1") == {2}


def test_masks_of_the_same_classes_are_not_written_anew(root):
    prepared = run(root, mask_classes=ALL)
    assert prepared.ground_truth[0].mask == root / "SegmentationClass/2007_1.png"
    assert not (root.parent / "out").exists()


def test_candidates_of_a_list_and_of_the_train_images_are_one_pool(root):
    (root / "ood.txt").write_text("2007_2\n")
    options = {"classes": ["train"], "mask_classes": ALL, "ood_list": "ood.txt"}
    prepared = run(root, ood_folder=str(root.parent / "ood"), **options)
    assert [r.image_id for r in prepared.records if r.split == "ood"] == ["2007_2", "a", "b"]
    # Of those in the folder nothing is known.
    assert {truth.image_id for truth in prepared.ground_truth} == {"2007_1", "2007_2", "2007_3"}
    limited = run(root, limit=1, ood_folder=str(root.parent / "ood"), **options)
    assert [r.split for r in limited.records] == ["train", "val", "ood"]


def test_a_candidate_that_copies_a_train_image_is_left_out(root):
    shutil.copy(root / "JPEGImages/2007_1.jpg", root / "JPEGImages/2007_2.jpg")
    (root / "SegmentationClass/2007_2.png").unlink(missing_ok=True)
    prepared = run(root, classes=["train"], mask_classes=ALL)
    assert [r.image_id for r in prepared.records] == ["2007_1", "2007_3"]
    assert [truth.image_id for truth in prepared.ground_truth] == ["2007_1", "2007_3"]


def test_images_without_any_label_are_candidates_too(root):
    write_jpeg(root / "JPEGImages/2007_4.jpg", np.zeros((8, 13, 3), np.uint8), quality=90)
    (root / "Annotations/2007_4.xml").write_text("<annotation/>")
    (root / "ImageSets/Segmentation/train.txt").write_text("2007_1\n2007_2\n2007_4\n")
    assert {r.image_id: r.split for r in run(root, mask_classes=ALL).records} == {
        "2007_1": "train", "2007_2": "train", "2007_3": "val", "2007_4": "ood",
    }  # fmt: skip
    # Without mask_classes they are trained on, as one's own data may have such images.
    assert {r.split for r in run(root).records if r.image_id == "2007_4"} == {"train"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"classes": ["bird", "boat"], "mask_classes": ALL},
            r"mask_classes \(bird, train\) lack boat: name every class that the masks were drawn",
        ),
        (
            {"classes": ["train"], "mask_classes": ["train"]},
            r"2007_1 has the unknown class.* bird; known are train \(to look for some classes only",
        ),
        (
            {"classes": ["boat"], "mask_classes": ["bird", "train", "boat"]},
            "no training image shows any of the classes boat",
        ),
    ],
)
def test_wrong_options_are_refused(root, changes, message):
    with pytest.raises(ValueError, match=message):
        run(root, **changes)


def test_a_value_beyond_all_classes_is_refused(root):
    write_mask(root / "SegmentationClass/2007_1.png", np.full((8, 10), 3, np.uint8))
    message = r"2007_1\.png holds the value 3, but 2 classes take 1 to 2"
    with pytest.raises(ValueError, match=message):
        run(root, classes=["train"], mask_classes=ALL)
