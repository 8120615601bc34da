"""COCO's categories of stuff, and what categories mean for classes and backgrounds."""

import pytest

from tests.data.sets.test_coco import HEIGHT, WIDTH
from wsss.data.sets._coco_categories import Category, find_meaning, stuff_categories
from wsss.data.sets._coco_shapes import object_pixels, packed


def test_the_stuff_has_the_ids_of_the_release():
    found = {category.name: category for category in stuff_categories()}
    assert len(found) == 91 and found["banner"].id == 92 and found["wood"].id == 182
    known = {"railroad": 147, "river": 148, "sea": 155, "sky-other": 157, "water-other": 178}
    assert {name: found[name].id for name in known} == known
    water = {name for name, category in found.items() if category.group == "water"}
    assert water == {"fog", "river", "sea", "water-other", "waterdrops"}


def test_a_category_comes_before_a_group_of_its_name():
    listed = [Category(1, "cat", "a"), Category(2, "sky", "x"), Category(3, "cloud", "sky")]
    meaning = find_meaning(listed, ["cat"], {"cat": [("sky", 1)]})
    assert meaning.backgrounds == {2: 1} and meaning.classes == {1: 1}
    with pytest.raises(ValueError, match="no spurious background 'blue'"):
        find_meaning([Category(1, "cat", "")], ["cat"], {"cat": [("blue", 1)]})


@pytest.mark.parametrize(
    "segmentation",
    [
        [[0, 0, 8, 0, 8, 5, 0, 5], [1.5, 6, 9, 6, 9.25, 7.5]],
        {"size": [8, 10], "counts": [30, 20, 30]},
        {"size": [8, 10], "counts": "PT1d0D0"},
        [[0, 0, 5, 0, 5, 10**400]],
        [["a", 0, 5, 0, 5, 1]],
        [[0, 0, None, 0, 5, 1]],
        {"size": [8, 10], "counts": [40.0, 40.0]},
        [1, 2, 3, 4, 5, 6],
        "abc",
        None,
    ],
)
def test_packed_shapes_are_read_as_others(segmentation):
    def outcome(shape):
        try:
            return object_pixels(shape, (HEIGHT, WIDTH)).tolist()
        except ValueError as error:
            return str(error)

    assert outcome(packed(segmentation)) == outcome(segmentation)
