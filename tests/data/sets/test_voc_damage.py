"""What PASCAL VOC's layout can hold that is wrong or odd."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.data.sets.test_voc import OPTIONS, root, run
from tests.data.test_odd_images import png
from wsss.data.images import write_jpeg
from wsss.store.masks import write_mask

__all__ = ["root"]

TRAIN, VAL = OPTIONS["train_list"], OPTIONS["val_list"]


def labels(root, text):
    (root / "labels.csv").write_text(text)


def test_training_images_without_label_are_counted(root, caplog):
    labels(root, "image_id,labels\n2007_1,bird\n2007_2,\n2007_3,train\n")
    assert [r.labels for r in run(root).records] == [("bird",), (), ("train",)]
    assert "1 training images have no label (2007_2): they are learnt as showing none" in (
        caplog.text
    )


def test_a_class_of_all_training_images_is_named(root, caplog):
    run(root)
    assert "all 2 training images show bird: a classifier can say so without looking" in caplog.text


def test_rows_of_other_images_are_counted(root, caplog):
    caplog.set_level("INFO")
    labels(root, "image_id,labels\n2007_1,bird\n2007_2,train\n2007_3,train\nold,bird\n")
    assert len(run(root).records) == 3
    assert "1 rows of " in caplog.text and "are of images that no list names (old)" in caplog.text


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("image_id,labels\n2007_1,bird\n2007_1,bird\n", "has several rows of image 2007_1; join"),
        ("image,labels\n2007_1,bird\n", r"lacks the column\(s\) image_id; it has image, labels"),
        ("image_id\n2007_1\n", r"lacks the column\(s\) labels"),
        ("image_id,labels\n2007_1,bird; train\n", r"unknown class\(es\) ' train'; known are bird"),
        ("image_id,labels\n2007_1,bird;\n", r"unknown class\(es\) ''; known are bird, train"),
        ("image_id,labels\n2007_1,cat;dog\n", r"unknown class\(es\) cat, dog; known are bird"),
        ("image_id;labels\n2007_1;bird\n", r"lacks the column\(s\) image_id, labels"),
        ("", "is no CSV file"),
    ],
)
def test_wrong_labels_are_refused(root, table, message):
    labels(root, table)
    with pytest.raises(ValueError, match=rf"labels\.csv.* {message}"):
        run(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "are no XML"),
        (b"<annotation><object>", "are no XML"),
        (b"<html/>", "are no annotation of VOC, for they begin with html;"),
        (b"<annotation><object><name>a\nb</name></object></annotation>", r"'a\\nb'; known"),
        (b"<annotation><object/></annotation>", r"unknown class\(es\) ''"),
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "are no XML"),
        (b"<annotation>&bird;</annotation>", "are no XML"),
        (b'<!DOCTYPE a [<!ENTITY b "x">]><annotation>&b;</annotation>', "it declares entities"),
    ],
)
def test_wrong_annotations_are_refused(root, content, message):
    (root / "Annotations/2007_2.xml").write_bytes(content)
    with pytest.raises(ValueError, match=rf"2007_2\.xml.*{message}") as error:
        run(root)
    assert "\n" not in str(error.value)


def test_an_annotation_that_would_grow_beyond_memory_is_refused_at_once(root):
    lines = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(12))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "bird">{lines}]><annotation>&e12;</annotation>'
    # In an encoding that hides the words, the parser's own limit holds.
    for encoding in ("utf-8", "utf-16"):
        (root / "Annotations/2007_2.xml").write_bytes(bomb.encode(encoding))
        with pytest.raises(ValueError, match=r"2007_2\.xml are no XML"):
            run(root)


@pytest.mark.parametrize("content", ["", "\n \n"])
@pytest.mark.parametrize("name", [TRAIN, VAL])
def test_an_empty_list_is_refused(root, name, content):
    (root / name).write_text(content)
    with pytest.raises(ValueError, match=r"image list .*\.txt names no image; fill it, or set val"):
        run(root)


def test_a_list_that_is_no_text_is_refused(root):
    (root / VAL).write_bytes(b"2007_\xff\xfe\n")
    with pytest.raises(ValueError, match=r"image list .*val\.txt is no UTF-8 text"):
        run(root)
    (root / VAL).unlink()
    (root / VAL).mkdir()
    with pytest.raises(ValueError, match=r"image list .*val\.txt is no UTF-8 text .IsADir"):
        run(root)


def test_an_image_named_twice_in_a_list_counts_once_and_is_logged(root, caplog):
    (root / TRAIN).write_text("2007_1\n2007_2\nJPEGImages/2007_1.jpg 1\n2007_1\n")
    assert [r.image_id for r in run(root).records] == ["2007_1", "2007_2", "2007_3"]
    assert "train.txt has 2 lines too many: an image named twice counts once" in caplog.text


def test_an_image_in_two_lists_is_refused(root):
    (root / VAL).write_text("2007_1\n")
    message = (
        r"image id 2007_1 occurs twice, in train \(.*2007_1\.jpg\) and in val \(.*2007_1\.jpg\); "
    )
    with pytest.raises(ValueError, match=message):
        run(root)
    (root / VAL).write_text("2007_3\n")
    (root / "ood.txt").write_text("2007_2\n")
    with pytest.raises(ValueError, match=r"image id 2007_2 occurs twice, in train .* and in ood"):
        run(root, ood_list="ood.txt")


def test_two_files_of_one_id_are_refused_where_a_list_names_it(root):
    Image.new("RGB", (10, 8)).save(root / "JPEGImages/2007_1.png")
    with pytest.raises(ValueError, match=r"2007_1 of .*train\.txt is .*\.jpg or .*\.png; take one"):
        run(root)
    (root / "JPEGImages/2007_1.png").rename(root / "JPEGImages/unused.png")
    shutil.copy(root / "JPEGImages/unused.png", root / "JPEGImages/unused.bmp")
    assert len(run(root).records) == 3


def test_candidates_that_copy_an_image_are_left_out_and_named(root, caplog):
    ood = root.parent / "ood"
    shutil.copy(root / "JPEGImages/2007_1.jpg", ood / "copy.jpg")
    (ood / "link.jpg").symlink_to(root / "JPEGImages/2007_3.jpg")
    # As many pixels and bytes as an image, but another picture.
    content = bytearray((root / "JPEGImages/2007_1.jpg").read_bytes())
    content[-3] ^= 1
    (ood / "other.jpg").write_bytes(content)
    prepared = run(root, ood_folder=str(ood))
    assert [r.image_id for r in prepared.records if r.split == "ood"] == ["a", "b", "other"]
    named = "2 OoD candidates are copies of train or val images and left out (copy of 2007_1, link"
    assert named in caplog.text


def test_a_candidate_of_the_same_name_is_refused_even_if_it_is_the_same_file(root):
    shutil.copy(root / "JPEGImages/2007_1.jpg", root.parent / "ood/2007_1.jpg")
    with pytest.raises(ValueError, match=r"2007_1 occurs twice, in train .*ood/2007_1\.jpg\)"):
        run(root, ood_folder=str(root.parent / "ood"))


def test_val_images_that_copy_train_images_are_named(root, caplog):
    shutil.copy(root / "JPEGImages/2007_1.jpg", root / "JPEGImages/2007_3.jpg")
    shutil.copy(root / "SegmentationClass/2007_1.png", root / "SegmentationClass/2007_3.png")
    assert len(run(root).records) == 3
    assert "1 val images are copies of train images (2007_3 of 2007_1): scores" in caplog.text


def test_a_mask_with_a_value_that_is_no_class_is_refused_by_name(root):
    mask = root / "SegmentationClass/2007_1.png"
    write_mask(mask, np.full((8, 10), 3, np.uint8))
    message = r"2007_1\.png holds the value 3, but 2 classes take 1 to 2 .*; name all classes that"
    with pytest.raises(ValueError, match=message):
        run(root)
    write_mask(mask, np.full((8, 10), 255, np.uint8))
    assert run(root).ground_truth[0].mask == mask


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("RGB", {}, "has mode RGB, not class indices"),
        ("LA", {}, "has mode LA, not class indices"),
        ("I;16", {}, "of more than 8 bits"),
        ("P", {"save_all": True, "append_images": [Image.new("P", (10, 8), 1)]}, "several pictur"),
    ],
)
def test_a_mask_of_colours_is_refused_by_name(root, mode, options, message):
    Image.new(mode, (10, 8)).save(root / "SegmentationClass/2007_1.png", **options)
    with pytest.raises(ValueError, match=rf"2007_1\.png .*{message}"):
        run(root)


def test_grey_of_fewer_than_eight_bits_is_no_index(root):
    # Two pixels of 4 bits in a byte: PIL would read 1 as 17.
    rows = b"".join(b"\0" + b"\x11" * 5 for _ in range(8))
    (root / "SegmentationClass/2007_1.png").write_bytes(png(10, 8, 4, 0, rows))
    with pytest.raises(ValueError, match=r"2007_1\.png has mode L;4, not class indices"):
        run(root)


def test_a_broken_mask_is_refused_by_name(root):
    mask = root / "SegmentationClass/2007_3.png"
    mask.write_bytes(mask.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"mask .*2007_3\.png cannot be read as PNG"):
        run(root)


@pytest.mark.parametrize(
    "name", ["two words", "a,b", 'say "rail"', "a;b", "\u00e9", "e\u0301", "列車", "v1.2", "$(ls)"]
)
def test_lists_may_name_images_as_files_may_be_named(root, name):
    write_jpeg(root / f"JPEGImages/{name}.jpg", np.full((8, 9, 3), 7, np.uint8), quality=90)
    shutil.copy(root / "Annotations/2007_1.xml", root / f"Annotations/{name}.xml")
    (root / TRAIN).write_text(f"2007_1\n{name}\n2007_2 -1\n", encoding="utf-8")
    assert {r.image_id for r in run(root).records} == {"2007_1", "2007_2", "2007_3", name}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("two\nlines", "control characters"),
        ("tab\t", "control characters"),
        ("back\\slash", "a path separator"),
        ("n" * 245, "more than 240 bytes"),
        ("\udce9", "bytes that are no UTF-8"),
    ],
)
def test_candidates_of_impossible_names_are_refused(root, name, reason):
    image = np.full((8, 9, 3), 7, np.uint8)
    write_jpeg(root.parent / "ood/c.jpg", image, quality=90)
    (root.parent / "ood/c.jpg").rename(root.parent / f"ood/{name}.jpg")
    with pytest.raises(ValueError, match=f"the data set: image id .*{reason}.*; rename") as error:
        run(root, ood_folder=str(root.parent / "ood"))
    assert str(error.value).isprintable() and len(str(error.value)) < 250
