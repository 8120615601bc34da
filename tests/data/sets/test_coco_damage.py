"""What COCO's instance format can hold that is wrong."""

import json
import shutil

import numpy as np
import pytest

from tests.data.sets.test_coco import HEIGHT, OPTIONS, WIDTH, annotation, root, run, write
from wsss.data.sets._coco_shapes import object_pixels

__all__ = ["root"]

SQUARE = [[2, 2, 5, 2, 5, 6]]


def change(root, edit):
    """Edit the content of the annotations."""
    path = root / OPTIONS["train_annotations"]
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def setter(group, number, key, value):
    return lambda content: content[group][number].__setitem__(key, value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "are no JSON"),
        (b'{"images": [', "are no JSON"),
        (b"\xff\xfe\xfa", "are no JSON"),
        (b"[" * 100_000, "are no JSON"),
        (b'{"categories": ' + b"9" * 5000 + b"}", "are no JSON"),
        (b"[]", "are not in COCO's instance format .the file has no 'categories'"),
        (b'{"categories": {}}', "'categories' of the file is {}, not of type list"),
        (b'{"categories": [7]}', r"categories\[0\] has no 'name'"),
    ],
)
def test_broken_files_are_refused(root, content, message):
    (root / OPTIONS["train_annotations"]).write_bytes(content)
    with pytest.raises(ValueError, match=rf"instances_train2017\.json .*{message}") as error:
        run(root)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (setter("images", 1, "height", "8"), r"'height' of images\[1\] is '8', not of type int"),
        (setter("images", 1, "width", float("nan")), r"'width' of images\[1\] is nan, not of"),
        (setter("images", 1, "file_name", 7), r"'file_name' of images\[1\] is 7, not of type str"),
        (setter("images", 1, "id", [1]), r"'id' of images\[1\] is \[1\], not of type int or str"),
        (setter("images", 1, "id", 1), "list two images of id 1"),
        (setter("images", 1, "file_name", "001.jpg"), r"list two images 001 \(.*001\.jpg and"),
        (setter("images", 1, "file_name", "../../etc/x.jpg"), "outside of the folder of images"),
        (setter("images", 1, "file_name", "/etc/x.jpg"), "name a file outside of the folder"),
        (setter("images", 1, "file_name", "a\0b.jpg"), r"image id 'a\\x00b' holds control char"),
        (setter("images", 1, "file_name", ""), r"have images\[1\]: image id '' is no name"),
        (
            setter("annotations", 2, "category_id", 5),
            r"annotations\[2\], of the unknown category 5",
        ),
        (setter("annotations", 2, "image_id", 99), r"annotations\[2\], of the unknown image 99"),
        (setter("annotations", 0, "category_id", {}), r"'category_id' of annotations\[0\] is {}"),
        (setter("annotations", 0, "iscrowd", "0"), "iscrowd is neither 0 nor 1"),
        (setter("categories", 2, "name", "cat"), "list the category 'cat' or its id twice"),
        (setter("categories", 2, "id", 4), "list the category 'toothbrush' or its id twice"),
        (lambda content: content["annotations"][0].pop("segmentation"), "has no readable mask"),
        (lambda content: content["images"].insert(0, None), r"images\[0\] has no 'id'"),
    ],
)
def test_wrong_entries_are_refused(root, edit, message):
    change(root, edit)
    with pytest.raises(ValueError, match=message) as error:
        run(root)
    assert "\n" not in str(error.value)
    assert "instances_train2017.json" in str(error.value) or "001.jpg" in str(error.value)


def test_two_names_of_one_category_are_refused(root):
    with pytest.raises(ValueError, match="one category for two of the classes motorbike, motorcy"):
        run(root, classes=["motorbike", "motorcycle"])


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        (None, "neither a list of polygons nor run lengths"),
        ("abc", "neither a list of polygons nor run lengths"),
        ([], "no polygon"),
        ([[]], "at least three points"),
        ([[1, 2, 3, 4]], "at least three points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "at least three points"),
        ([1, 2, 3, 4, 5, 6], "no list of numbers"),
        ([["1", "2", "3", "4", "5", "6"]], "no list of numbers"),
        ([[0, 0, 5, 0, 5, float("nan")]], "far outside of the image"),
        ([[0, 0, 5, 0, 5, float("inf")]], "far outside of the image"),
        ([[0, 0, 5, 0, 5, 1e12]], "far outside of the image"),
        ([[0, 0, 5, 0, 5, 10**400]], "far outside of the image"),
        ({"size": [8, 10]}, "neither a list"),
        ({"size": [10, 8], "counts": [80]}, r"a mask of \(10, 8\), but the image is \(8, 10\)"),
        ({"size": [8, 10], "counts": [70]}, "run lengths of 70 pixels for an image of 80"),
        ({"size": [8, 10], "counts": [90, 10**9]}, "run lengths of 1000000090 pixels for"),
        ({"size": [8, 10], "counts": [-1, 81]}, "no whole numbers from 0 on"),
        ({"size": [8, 10], "counts": [40.0, 40.0]}, "no whole numbers from 0 on"),
        ({"size": [8, 10], "counts": "\t"}, "no text of COCO's form"),
        ({"size": [8, 10], "counts": "o"}, "end in the middle"),
        ({"size": [8, 10], "counts": "o" * 99}, "no text of COCO's form"),
        ({"size": [8, 10], "counts": None}, "no whole numbers"),
    ],
)
def test_wrong_shapes_are_refused_by_image(root, segmentation, message):
    write(root, annotations=[annotation(1, 4, segmentation), annotation(2, 17, SQUARE)])
    with pytest.raises(ValueError, match=rf"001\.jpg has no readable mask \(.*{message}"):
        run(root)


def test_run_lengths_in_text_are_those_of_the_reference():
    rle_tools = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for height, width, density in ((1, 1, 1), (8, 10, 0.5), (40, 70, 0.01), (300, 5, 0.9)):
        pixels = np.asfortranarray(rng.random((height, width)) < density)
        code = rle_tools.encode(pixels.astype(np.uint8))
        counts = {"size": [height, width], "counts": code["counts"].decode()}
        np.testing.assert_array_equal(object_pixels(counts, (height, width)), pixels)


def test_polygons_a_little_outside_are_cut_at_the_border():
    inside = object_pixels([[0, 0, WIDTH, 0, WIDTH, HEIGHT, 0, HEIGHT]], (HEIGHT, WIDTH))
    outside = object_pixels([[-3, -2, 14, -2, 14, 11, -3, 11]], (HEIGHT, WIDTH))
    assert inside.all() and outside.all()


def test_candidates_that_copy_an_image_are_left_out(root, caplog):
    shutil.copy(root / "train2017/001.jpg", root / "train2017/again.jpg")
    shutil.copy(root / "train2017/002.jpg", root / "train2017/003.jpg")
    prepared = run(root)
    assert [r.image_id for r in prepared.records] == ["001", "002", "004"]
    assert [truth.image_id for truth in prepared.ground_truth] == ["001", "002"]
    assert "2 OoD candidates are copies of train or val images and left out (003 of" in caplog.text


@pytest.mark.parametrize("name", ["two words", "a;b,c", "\u00e9", "e\u0301", "列車", ".dot"])
def test_images_may_be_named_as_files_may(root, name):
    change(root, setter("images", 0, "file_name", f"{name}.jpg"))
    (root / "train2017/001.jpg").rename(root / f"train2017/{name}.jpg")
    prepared = run(root)
    assert {r.image_id for r in prepared.records if r.split == "train"} == {name, "002"}
    assert all(truth.mask.is_file() for truth in prepared.ground_truth if truth.mask)
