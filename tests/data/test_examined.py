from dataclasses import replace

import numpy as np
import pytest

from tests.train.small import write_images
from wsss.data.examined import ImageFiles, MaskFiles, own_backgrounds
from wsss.data.images import read_image
from wsss.data.index import GroundTruthRecord


@pytest.fixture
def records(tmp_path):
    return write_images(tmp_path)


def known(record, mask):
    return GroundTruthRecord(record.image_id, mask, None, record.labels, "")


def test_images_by_id(records):
    images = ImageFiles(records)
    assert list(images) == [record.image_id for record in records] and len(images) == 6
    np.testing.assert_array_equal(images["image1"], read_image(records[1].path))
    with pytest.raises(KeyError):
        images["image9"]


def test_masks_of_those_images_that_have_one(records):
    truth = {r.image_id: known(r, r.path.with_suffix(".png")) for r in records[:3]}
    truth["image2"] = known(records[2], None)
    masks = MaskFiles(records, truth, num_classes=3)
    assert list(masks) == ["image0", "image1"] and len(masks) == 2
    assert masks["image1"].shape == (40, 32) and set(np.unique(masks["image1"])) == {0, 2}


def test_an_image_of_another_size_than_the_index_says_is_told(records):
    images = ImageFiles([replace(records[0], height=7)])
    with pytest.raises(ValueError, match="but the index says"):
        images["image0"]


def test_a_background_goes_with_a_class_or_not(records):
    first, second, third = (replace(r, labels=names) for r, names in zip(
        records, [("boat", "bottle"), ("boat",), ("train",)], strict=False
    ))  # fmt: skip
    kinds = {first: "sea", second: "rail", third: ""}
    truth = {
        record.image_id: replace(known(record, None), kind=kind) for record, kind in kinds.items()
    }
    found = own_backgrounds(
        [first, second, third, records[3]], truth, classes=("bottle", "boat", "train"),
        spurious={"boat": (("water", 1), ("sea", 2)), "train": (("rail", 3),)},
    )  # fmt: skip
    # Nothing goes with bottles, the third's background is not known, and of the fourth nothing is.
    assert found == {first.image_id: {1: True}, second.image_id: {1: False}}
