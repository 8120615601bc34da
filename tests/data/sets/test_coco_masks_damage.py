"""What the PNGs and JSON files of COCO's masks can hold that is wrong, and wrong options."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.data.sets.test_coco import HEIGHT, WIDTH, root, run
from tests.data.sets.test_coco_masks import CAT, PANOPTIC, STUFF, panoptic, segment, stuff

__all__ = ["panoptic", "root", "stuff"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": "semantic"}, "masks is 'semantic', but allowed are instances, stuff, panoptic"),
        ({"spurious": {"cat": "sea"}}, "names sea, but instances have no backgrounds; set masks"),
        (
            {"train_masks": ["a"]},
            r"masks is instances, train_masks \['a'\] and val_masks \[\], but",
        ),
        ({**STUFF, "train_masks": []}, "folders of PNGs are named with stuff and panoptic only"),
        ({**STUFF, "val_masks": ["a"]}, "and those of val where there are val_images"),
        ({**STUFF, "train_masks": ["none"]}, "none does not exist; unpack COCO-Stuff's maps there"),
        ({**PANOPTIC, "train_masks": ["none"]}, r"none\.json do not exist; fetch them"),
        (
            {**STUFF, "spurious": {"dog": "sea"}},
            "spurious names backgrounds of dog, but the classes are motorbike, cat; name classes",
        ),
        (
            {**STUFF, "spurious": {"cat": "railrode"}},
            "no spurious background 'railrode'; known are the groups .*, water, .* and their "
            "categories, as railroad",
        ),
        (
            {**STUFF, "spurious": {"cat": "motorcycle"}},
            "have motorcycle in the spurious background motorcycle and in a class or another",
        ),
        (
            {**STUFF, "spurious": {"cat": "water", "motorbike": "sea"}},
            "have sea in the spurious background sea and in a class or another background; name",
        ),
    ],
)
def test_wrong_options_are_refused(stuff, changes, message):
    with pytest.raises(ValueError, match=message):
        run(stuff, **changes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((4, 4), np.uint8), r"is \(4, 4\), but its image is \(8, 10\); fetch masks and"),
        (np.full((HEIGHT, WIDTH), 182, np.uint8), "holds the value 182, but those of COCO-Stuff e"),
        (np.zeros((HEIGHT, WIDTH, 3), np.uint8), "has mode RGB, not class indices"),
    ],
)
def test_wrong_maps_are_refused(stuff, values, message):
    Image.fromarray(values).save(stuff / "stuffthingmaps/train2017/001.png")
    with pytest.raises(ValueError, match=rf"mask .*/001\.png {message}"):
        run(stuff, **STUFF)


def test_a_missing_map_is_refused(stuff):
    (stuff / "stuffthingmaps/train2017/002.png").unlink()
    with pytest.raises(
        ValueError, match=r"002\.jpg has no map of COCO-Stuff, which would be .*002"
    ):
        run(stuff, **STUFF)


def change(root, edit):
    path = root / "annotations/panoptic_train2017.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def set_segment(key, value):
    return lambda content: content["annotations"][0]["segments_info"][1].__setitem__(key, value)


def set_annotation(key, value):
    return lambda content: content["annotations"][0].__setitem__(key, value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_segment("id", 5), r"001\.png has the segment 70000, which panoptic_train2017\.json d"),
        (set_segment("id", 0), r"segments_info\[1\] of annotations\[0\] with number 0, categor"),
        (set_segment("id", 2**24), "with number 16777216, category 147 and iscrowd 0, of which on"),
        (set_segment("id", "7"), r"'id' of segments_info\[1\] of annotations\[0\] is '7', not of"),
        (set_segment("category_id", 3), "category 3 and iscrowd 0, of which one is impossible"),
        (set_segment("iscrowd", "no"), "iscrowd 'no', of which one is impossible"),
        (set_annotation("segments_info", {}), r"annotations\[0\] is {}, not of type"),
        (set_annotation("segments_info", [7]), r"_info\[0\] of annotations\[0\] has no 'id'"),
        (set_annotation("segments_info", [segment(1, CAT)] * 2), "number two segments of ann"),
        (set_annotation("image_id", 2), "annotate image 2 twice"),
        (set_annotation("image_id", 9), r"001\.jpg has no panoptic annotation in .*2017\.json"),
        (set_annotation("file_name", "../1.png"), r"outside of their folder, '\.\./1\.png' of"),
        (set_annotation("file_name", "/1.png"), r"outside of their folder, '/1\.png' of ann"),
        (set_annotation("file_name", "none.png"), r"none\.png does not exist"),
        (lambda content: content.pop("annotations"), "panoptic format .the file has no 'annotat"),
        (lambda content: content["categories"].pop(), "category 155 and iscrowd 0, of which one"),
        (lambda content: content["categories"].append({"id": 4, "name": "x"}), "or its id twice"),
        (
            lambda content: content["categories"][1].__setitem__("name", "lion"),
            r"panoptic_train2017\.json have no class cat; known are motorcycle, lion",
        ),
    ],
)  # fmt: skip
def test_wrong_panoptic_annotations_are_refused(panoptic, edit, message):
    change(panoptic, edit)
    with pytest.raises(ValueError, match=message) as error:
        run(panoptic, **PANOPTIC)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.new("RGB", (WIDTH, HEIGHT - 1)), r"001\.png is \(7, 10\), but its image is \(8, 10"),
        (Image.new("L", (WIDTH, HEIGHT), 9), r"001\.png has the segment 592137, which"),
    ],
)
def test_wrong_panoptic_pngs_are_refused(panoptic, image, message):
    image.save(panoptic / "annotations/panoptic_train2017/001.png")
    with pytest.raises(ValueError, match=message):
        run(panoptic, **PANOPTIC)


def test_a_folder_of_pngs_that_is_not_unpacked_is_named(panoptic):
    folder = panoptic / "annotations/panoptic_train2017"
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(
        ValueError, match=r"does not exist; unpack the PNGs of panoptic_train2017\.j"
    ):
        run(panoptic, **PANOPTIC)
