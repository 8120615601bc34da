import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as rle_tools

from wsss.data.images import write_jpeg
from wsss.data.sets.coco import prepare
from wsss.store.masks import read_mask

COCO128 = Path(__file__).resolve().parents[4] / "shared" / "data" / "coco128"
PRESENT = [
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sofa", "train"),
]
OPTIONS = {
    "train_images": "train2017",
    "train_annotations": "annotations/instances_train2017.json",
    "val_images": "",
    "val_annotations": "",
    "masks": "instances",
    "train_masks": [],
    "val_masks": [],
    "spurious": {},
    "classes": ["motorbike", "cat"],
    "val_fraction": 0.0,
    "limit": 0,
    "max_megapixels": 4.0,
    "random_seed": 0,
    "workers": 1,
}
HEIGHT, WIDTH = 8, 10


def rectangle(top, left, bottom, right):
    return [[left, top, right, top, right, bottom, left, bottom]]


def run_lengths(top, left, bottom, right, compressed):
    pixels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8, order="F")
    pixels[top:bottom, left:right] = 1
    if compressed:
        code = rle_tools.encode(pixels)
        return {"size": code["size"], "counts": code["counts"].decode()}
    flat = pixels.ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
    counts = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def annotation(image_id, category_id, segmentation, iscrowd=0):
    return {
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": segmentation,
        "iscrowd": iscrowd,
    }


def write(root, part="train2017", first=1, annotations=None):
    """Write images: 1 with two classes, 2 with a crowd, 3 with another class, 4 unannotated."""
    content = {
        "categories": [
            {"id": 4, "name": "motorcycle"},
            {"id": 17, "name": "cat"},
            {"id": 90, "name": "toothbrush"},
            {"id": 9, "name": "boat"},
        ],
        "images": [
            {"id": i, "file_name": f"{i:03d}.jpg", "height": HEIGHT, "width": WIDTH}
            for i in range(first, first + 3)
        ],
        "annotations": annotations
        or [
            annotation(first, 17, rectangle(2, 2, 4, 4)),
            annotation(first, 4, rectangle(0, 0, 8, 5)),
            annotation(first, 90, rectangle(0, 0, 1, 1)),
            annotation(first + 1, 4, run_lengths(1, 1, 4, 6, compressed=True)),
            annotation(first + 1, 17, run_lengths(0, 0, 6, 4, compressed=False), iscrowd=1),
            annotation(first + 2, 90, rectangle(0, 0, 2, 2)),
        ],
    }
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / f"annotations/instances_{part}.json").write_text(json.dumps(content))
    for i in range(first, first + 4):
        image = np.full((HEIGHT, WIDTH, 3), 10 * i, np.uint8)
        write_jpeg(root / part / f"{i:03d}.jpg", image, quality=90)


@pytest.fixture
def root(tmp_path):
    write(tmp_path / "coco")
    return tmp_path / "coco"


def run(root, **changes):
    return prepare(root.parent / "out", root=str(root), **{**OPTIONS, **changes})


def test_images_with_a_class_train_and_the_others_are_candidates(root):
    prepared = run(root)
    assert [(r.image_id, r.split, r.labels) for r in prepared.records] == [
        ("001", "train", ("motorbike", "cat")),
        ("002", "train", ("motorbike", "cat")),
        ("003", "ood", ()),
        ("004", "ood", ()),
    ]
    assert {(r.height, r.width) for r in prepared.records} == {(HEIGHT, WIDTH)}
    # Nobody said what the image without annotation shows.
    assert [truth.image_id for truth in prepared.ground_truth] == ["001", "002", "003"]
    assert prepared.ground_truth[2].mask is None and prepared.spurious == {}


def test_the_smaller_object_covers_the_larger(root):
    mask = read_mask(run(root).ground_truth[0].mask)
    expected = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    expected[:, :5] = 1
    expected[2:4, 2:4] = 2
    np.testing.assert_array_equal(mask, expected)


def test_a_class_that_no_image_shows_is_named(root, caplog):
    prepared = run(root, classes=["boat", "cat"])
    assert prepared.classes == ("boat", "cat") and prepared.records[0].labels == ("cat",)
    assert "no training image shows boat" in caplog.text


def test_a_crowd_is_ignored_where_no_object_covers_it(root):
    mask = read_mask(run(root).ground_truth[1].mask)
    expected = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    expected[:6, :4] = 255
    expected[1:4, 1:6] = 1
    np.testing.assert_array_equal(mask, expected)


def test_names_of_coco_do_as_well(root):
    prepared = run(root, classes=["cat", "motorcycle"])
    assert prepared.classes == ("cat", "motorcycle")
    assert read_mask(prepared.ground_truth[0].mask)[0, 0] == 2


def test_validation_images_of_their_own(root):
    write(root, part="val2017", first=11)
    prepared = run(root, val_images="val2017", val_annotations="annotations/instances_val2017.json")
    splits = {r.image_id: r.split for r in prepared.records}
    assert splits == {
        "001": "train", "002": "train", "011": "val", "012": "val", "003": "ood", "004": "ood",
    }  # fmt: skip


@pytest.mark.slow
def test_several_workers_write_the_same(root):
    first = run(root)
    masks = [truth.mask.read_bytes() for truth in first.ground_truth if truth.mask]
    shutil.rmtree(root.parent / "out")
    second = run(root, workers=2)
    assert second == first
    assert [truth.mask.read_bytes() for truth in second.ground_truth if truth.mask] == masks


def test_a_missing_root_tells_to_link_it(tmp_path):
    with pytest.raises(ValueError, match=r"none does not exist; .*link .* && ln -s .*/none"):
        run(tmp_path / "none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"classes": ["cat", "rail"]},
            r"no class rail; known are motorcycle, cat, toothbrush, boat",
        ),
        ({"train_annotations": "a.json"}, r"a\.json do not exist; fetch them"),
        ({"train_images": "images"}, r"images.* does not exist; link"),
        ({"val_fraction": 1.0}, r"val_fraction 1\.0 must be in \[0, 1\)"),
        ({"val_images": "val2017"}, "must both be named or both be empty"),
        ({"classes": ["boat"]}, "no training image shows any of the classes boat; add images"),
    ],
)
def test_wrong_options_are_refused(root, changes, message):
    with pytest.raises(ValueError, match=message):
        run(root, **changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "are no JSON"),
        ("[]", "are not in COCO's instance format"),
        ('{"images": []}', "are not in COCO's instance format .*categories"),
    ],
)
def test_other_files_are_no_annotations(root, content, message):
    (root / OPTIONS["train_annotations"]).write_text(content)
    with pytest.raises(ValueError, match=message):
        run(root)


def test_an_image_of_another_size_is_refused(root):
    write_jpeg(root / "train2017" / "001.jpg", np.zeros((4, 4, 3), np.uint8), quality=90)
    with pytest.raises(
        ValueError, match=r"001\.jpg is \(4, 4\), but its annotation says \(8, 10\)"
    ):
        run(root)


def test_a_missing_image_is_refused(root):
    (root / "train2017" / "001.jpg").unlink()
    with pytest.raises(ValueError, match=r"001\.jpg does not exist"):
        run(root)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"size": [4, 4], "counts": [8, 8]}, r"mask of \(4, 4\), but the image is \(8, 10\)"),
        ([[1, 2, 3, 4]], "has no readable mask .*three points"),
        ([], "has no readable mask"),
        ({"size": [8, 10]}, "has no readable mask"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(root, segmentation, message):
    write(
        root, annotations=[annotation(i, i_class, segmentation) for i, i_class in ((1, 4), (2, 17))]
    )
    with pytest.raises(ValueError, match=message):
        run(root)


@pytest.fixture(scope="module")
def coco128(tmp_path_factory):
    if not COCO128.is_dir():
        pytest.skip("needs ../shared/data/coco128, which is not here")
    folder = tmp_path_factory.mktemp("coco128")
    changes = {"classes": PRESENT, "val_fraction": 0.2}
    return prepare(folder, root=str(COCO128), **{**OPTIONS, **changes})


@pytest.mark.slow
def test_coco128(coco128):
    splits = Counter(record.split for record in coco128.records)
    assert splits["train"] + splits["val"] == 77 and splits["val"] == 15
    assert splits["ood"] == 23 + 28
    assert len(coco128.ground_truth) == 100
    for truth in coco128.ground_truth:
        if truth.mask:
            shown = set(np.unique(read_mask(truth.mask)).tolist()) - {0, 255}
            assert {PRESENT[value - 1] for value in shown} <= set(truth.labels)


@pytest.mark.slow
def test_a_reduced_form_of_coco128_keeps_every_class(coco128, tmp_path):
    changes = {"classes": PRESENT, "val_fraction": 0.2, "limit": 25}
    reduced = prepare(tmp_path, root=str(COCO128), **{**OPTIONS, **changes})
    assert Counter(r.split for r in reduced.records) == {"train": 20, "val": 5, "ood": 25}
    assert {name for r in reduced.records if r.split == "train" for name in r.labels} == set(
        PRESENT
    )
    everything = {r.image_id for r in coco128.records}
    assert {r.image_id for r in reduced.records} <= everything
