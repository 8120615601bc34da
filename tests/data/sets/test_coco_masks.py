"""COCO's masks from the PNGs of COCO-Stuff and of panoptic annotations, and co-occurring stuff."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.data.sets import test_coco
from tests.data.sets.test_coco import COCO128, HEIGHT, OPTIONS, PRESENT, WIDTH, root, write
from wsss.data.index import read_classes, spurious_pairs, write_classes
from wsss.data.sets.coco import prepare
from wsss.metrics.confusion_ratio import ConfusionRatio
from wsss.store.masks import read_mask, write_mask

__all__ = ["root"]

STUFF = {"masks": "stuff", "train_masks": ["stuffthingmaps/train2017"]}
PANOPTIC = {"masks": "panoptic", "train_masks": ["annotations/panoptic_train2017"]}
# Ids of COCO; images 1 and 2 show classes (motorbike, cat), image 3 shows another class.
MOTORCYCLE, CAT, TOOTHBRUSH, RAILROAD, RIVER, SEA, SKY = 4, 17, 90, 147, 148, 155, 187


def run(root, **changes):
    return test_coco.run(root, **changes)


def truth_of(prepared, image_id):
    return next(truth for truth in prepared.ground_truth if truth.image_id == image_id)


def halves(left, right):
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[:, :4], values[:, 4:] = left, right
    return values


@pytest.fixture
def stuff(root):
    """Maps of COCO-Stuff: the value is the category - 1, 255 is not labelled."""
    write_mask(root / "stuffthingmaps/train2017/001.png", halves(CAT - 1, RAILROAD - 1))
    values = halves(MOTORCYCLE - 1, SEA - 1)
    values[0], values[1] = 255, TOOTHBRUSH - 1
    values[2, 6:] = RIVER - 1
    write_mask(root / "stuffthingmaps/train2017/002.png", values)
    return root


def test_maps_of_stuff_and_things(stuff):
    drawn = run(stuff)
    prepared = run(stuff, **STUFF)
    assert prepared.records == drawn.records and prepared.spurious == {}
    np.testing.assert_array_equal(read_mask(truth_of(prepared, "001").mask), halves(2, 0))
    expected = halves(1, 0)
    expected[0], expected[1] = 255, 0
    np.testing.assert_array_equal(read_mask(truth_of(prepared, "002").mask), expected)
    assert all(truth.spurious is None for truth in prepared.ground_truth)


def test_a_background_is_a_category_or_a_group(stuff):
    pairs = {"motorbike": "water", "cat": "railroad"}
    prepared = run(stuff, **STUFF, spurious=pairs)
    assert prepared.spurious == {"motorbike": (("water", 1),), "cat": (("railroad", 2),)}
    np.testing.assert_array_equal(read_mask(truth_of(prepared, "001").spurious), halves(0, 2))
    expected = halves(0, 1)
    expected[:2] = 0
    np.testing.assert_array_equal(read_mask(truth_of(prepared, "002").spurious), expected)
    assert truth_of(prepared, "003").spurious is None
    only_sea = run(stuff, **STUFF, spurious={"cat": "sea"})
    assert (read_mask(truth_of(only_sea, "002").spurious) == 1).sum() == 6 * 6 - 4


def test_the_confusion_ratio_is_measured_on_them(stuff):
    prepared = run(stuff, **STUFF, spurious={"cat": "railroad"})
    truth = truth_of(prepared, "001")
    mask, spurious = read_mask(truth.mask), read_mask(truth.spurious)
    # Half of the cat is found, and two columns of the rail are taken for it.
    prediction = np.zeros_like(mask)
    prediction[:, 2:6] = 2
    pairs = spurious_pairs(prepared.classes, prepared.spurious)
    ratio = ConfusionRatio(pairs, num_classes=3, ignore_index=255)
    ratio.update(mask, spurious, prediction)
    assert ratio.ratios() == {(1, 1): 1.0}


def test_two_classes_may_share_a_background(stuff, tmp_path):
    prepared = run(stuff, **STUFF, spurious={"motorbike": "water", "cat": "water"})
    assert set(prepared.spurious.values()) == {(("water", 1),)}
    write_classes(tmp_path / "classes.csv", prepared.classes, prepared.spurious)
    assert read_classes(tmp_path / "classes.csv")[1] == prepared.spurious


def test_a_class_may_have_several_backgrounds(stuff, tmp_path):
    prepared = run(stuff, **STUFF, spurious={"cat": ["railroad", "water"], "motorbike": ["water"]})
    assert prepared.spurious == {
        "cat": (("railroad", 1), ("water", 2)), "motorbike": (("water", 2),),
    }  # fmt: skip
    write_classes(tmp_path / "classes.csv", prepared.classes, prepared.spurious)
    assert read_classes(tmp_path / "classes.csv")[1] == prepared.spurious
    assert set(np.unique(read_mask(truth_of(prepared, "001").spurious))) == {0, 1}
    assert set(np.unique(read_mask(truth_of(prepared, "002").spurious))) == {0, 2}


def test_maps_of_2017_serve_the_images_of_2014(stuff):
    path = stuff / OPTIONS["train_annotations"]
    content = json.loads(path.read_text())
    for item in content["images"]:
        name = f"COCO_train2014_{item['id']:012d}.jpg"
        (stuff / "train2017" / item["file_name"]).rename(stuff / "train2017" / name)
        item["file_name"] = name
    path.write_text(json.dumps(content))
    maps = stuff / "stuffthingmaps"
    (maps / "val2017").mkdir()
    (maps / "train2017/001.png").rename(maps / "train2017/000000000001.png")
    (maps / "train2017/002.png").rename(maps / "val2017/000000000002.png")
    folders = ["stuffthingmaps/train2017", "stuffthingmaps/val2017"]
    prepared = run(stuff, masks="stuff", train_masks=folders)
    masks = [truth.mask for truth in prepared.ground_truth if truth.mask]
    assert [mask.name for mask in masks] == [
        "COCO_train2014_000000000001.png", "COCO_train2014_000000000002.png",
    ]  # fmt: skip
    np.testing.assert_array_equal(read_mask(masks[0]), halves(2, 0))
    with pytest.raises(
        ValueError, match=r"002\.jpg has no map of COCO-Stuff, which would be .* or"
    ):
        run(stuff, **STUFF)


def segment(number, category, iscrowd=0):
    return {"id": number, "category_id": category, "iscrowd": iscrowd, "bbox": [], "area": 1}


def write_panoptic(root, part="train2017", categories=None, segments=None):
    """Write a PNG for the images 1 and 2 whose left and right halves are segments."""
    listed = categories or [
        {"id": MOTORCYCLE, "name": "motorcycle", "supercategory": "vehicle", "isthing": 1},
        {"id": CAT, "name": "cat", "supercategory": "animal", "isthing": 1},
        {"id": TOOTHBRUSH, "name": "toothbrush", "supercategory": "indoor", "isthing": 1},
        {"id": RAILROAD, "name": "railroad", "supercategory": "ground", "isthing": 0},
        {"id": SEA, "name": "sea", "supercategory": "water", "isthing": 0},
    ]
    found = segments or {
        1: [segment(7 + 256 * 200 + 65536 * 3, CAT), segment(70_000, RAILROAD)],
        2: [segment(255, MOTORCYCLE, iscrowd=1), segment(256, SEA)],
    }
    folder = root / f"annotations/panoptic_{part}"
    folder.mkdir(exist_ok=True)
    for image_id, parts in found.items():
        numbers = np.zeros((HEIGHT, WIDTH), np.int64)
        numbers[:, :4], numbers[:, 4:] = (item["id"] for item in parts)
        numbers[0] = 0
        colours = np.stack([numbers >> shift & 255 for shift in (0, 8, 16)], axis=-1)
        Image.fromarray(colours.astype(np.uint8)).save(folder / f"{image_id:03d}.png")
    content = {
        "categories": listed,
        "images": [{"id": image_id} for image_id in found],
        "annotations": [
            {"image_id": image_id, "file_name": f"{image_id:03d}.png", "segments_info": parts}
            for image_id, parts in found.items()
        ],
    }
    folder.with_name(f"{folder.name}.json").write_text(json.dumps(content))


@pytest.fixture
def panoptic(root):
    write_panoptic(root)
    return root


def test_panoptic_colours_are_segments(panoptic):
    drawn = run(panoptic)
    prepared = run(panoptic, **PANOPTIC, spurious={"cat": "railroad", "motorbike": "water"})
    assert prepared.records == drawn.records
    first, second = (truth_of(prepared, image_id) for image_id in ("001", "002"))
    expected = halves(2, 0)
    expected[0] = 255
    np.testing.assert_array_equal(read_mask(first.mask), expected)
    expected = halves(0, 1)
    expected[0] = 0
    np.testing.assert_array_equal(read_mask(first.spurious), expected)
    # A crowd of a class is ignored.
    expected = halves(255, 0)
    expected[0] = 255
    np.testing.assert_array_equal(read_mask(second.mask), expected)
    assert (read_mask(second.spurious)[1:, 4:] == 2).all()


def test_a_crowd_of_no_class_is_background(panoptic):
    prepared = run(panoptic, **PANOPTIC, classes=["cat"])
    assert set(np.unique(read_mask(truth_of(prepared, "002").mask))) == {0, 255}
    assert (read_mask(truth_of(prepared, "002").mask)[1:] == 0).all()


def test_panoptic_annotations_of_several_parts(panoptic):
    write(panoptic, part="val2017", first=11)
    parts = {11: [segment(1, CAT), segment(2, SEA)], 12: [segment(1, MOTORCYCLE), segment(2, CAT)]}
    write_panoptic(panoptic, part="val2017", segments=parts)
    val = {"val_images": "val2017", "val_annotations": "annotations/instances_val2017.json"}
    both = ["annotations/panoptic_train2017", "annotations/panoptic_val2017"]
    prepared = run(panoptic, **PANOPTIC, **val, val_masks=both)
    splits = {r.image_id: r.split for r in prepared.records if r.split != "ood"}
    assert splits == {"001": "train", "002": "train", "011": "val", "012": "val"}
    assert (read_mask(truth_of(prepared, "012").mask)[1:, 4:] == 2).all()
    with pytest.raises(
        ValueError, match=r"011\.jpg has no panoptic annotation in .*train2017\.json"
    ):
        run(panoptic, **PANOPTIC, **val, val_masks=both[:1])
    others = {number: [segment(1, 1), segment(2, 1)] for number in (11, 12)}
    write_panoptic(panoptic, "val2017", [{"id": 1, "name": "cat"}], others)
    with pytest.raises(
        ValueError, match=r"val2017\.json have other categories than .*train2017\.j"
    ):
        run(panoptic, **PANOPTIC, **val, val_masks=both)


def test_val_is_taken_from_the_train_images_with_their_masks(panoptic):
    prepared = run(panoptic, **PANOPTIC, val_fraction=0.5, spurious={"cat": "railroad"})
    assert sorted(r.split for r in prepared.records) == ["ood", "ood", "train", "val"]
    assert sum(truth.spurious is not None for truth in prepared.ground_truth) == 2


@pytest.mark.slow
def test_several_workers_write_the_same(panoptic):
    first = run(panoptic, **PANOPTIC, spurious={"cat": "railroad"})
    content = [truth.spurious.read_bytes() for truth in first.ground_truth if truth.spurious]
    assert run(panoptic, **PANOPTIC, spurious={"cat": "railroad"}, workers=2) == first
    assert [t.spurious.read_bytes() for t in first.ground_truth if t.spurious] == content


def test_images_without_a_class_are_counted(root, caplog):
    caplog.set_level("INFO")
    write(root, part="val2017", first=11)
    run(root, val_images="val2017", val_annotations="annotations/instances_val2017.json")
    where = "annotations/instances_train2017.json lists show no class and are OoD candidates"
    assert "1 of 3 images that " in caplog.text and where in caplog.text
    assert "instances_val2017.json lists show no class and are left out" in caplog.text
    assert "1 images of train2017 are not annotated and OoD candidates" in caplog.text


# Real annotations


@pytest.fixture(scope="module")
def coco128(tmp_path_factory):
    if not COCO128.is_dir():
        pytest.skip("needs ../shared/data/coco128, which is not here")
    options = {**OPTIONS, "classes": PRESENT, "root": str(COCO128)}
    pairs = {"train": "railroad", "boat": "water", "aeroplane": "sky"}
    made = prepare(tmp_path_factory.mktemp("a"), **{**options, **PANOPTIC, "spurious": pairs})
    return made, prepare(tmp_path_factory.mktemp("b"), **options)


@pytest.mark.slow
def test_panoptic_masks_of_coco128_are_those_of_its_instances(coco128):
    found, drawn = coco128
    assert found.records == drawn.records and found.spurious["boat"] == (("water", 2),)
    for one, other in zip(found.ground_truth, drawn.ground_truth, strict=True):
        if one.mask:
            mask, expected = read_mask(one.mask), read_mask(other.mask)
            # Only pixels that no segment covers differ.
            assert set(np.unique(expected[mask != expected])) <= {0}
            assert set(np.unique(mask[mask != expected])) <= {255}


@pytest.mark.slow
def test_backgrounds_of_coco128_stand_beside_their_classes(coco128):
    found, _ = coco128
    shown = {
        t.image_id: set(np.unique(read_mask(t.spurious))) for t in found.ground_truth if t.mask
    }
    assert all(read_mask(t.spurious).shape == read_mask(t.mask).shape
               for t in found.ground_truth if t.mask)  # fmt: skip
    assert 1 in shown["000000000071"] and 2 in shown["000000000404"] and 2 in shown["000000000472"]
