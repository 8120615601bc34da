"""What a folder of one's own and its table can hold that is wrong."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.data.sets.test_folder import draw, paint, root, run, splits, write
from wsss.store.masks import write_mask

__all__ = ["root"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": "photos"}, "folder .*photos does not exist; link the images there"),
        ({"labels": "none.csv"}, r"labels .*none\.csv do not exist; write a table with the col"),
        ({"labels": "images"}, r"labels .*images cannot be read .Is a directory"),
        ({"masks": "none"}, "folder .*none of masks does not exist; link the masks there, or set"),
        ({"masks": "images"}, "images and masks both stand in .*images; move the masks to a fol"),
        ({"val_fraction": 1.0}, r"val_fraction 1\.0 must be in \[0, 1\)"),
        ({"classes": ["bird", "Train"]}, "have no label Train; theirs are bird, boat, train"),
        ({"masks": "masks", "mask_classes": ["bird", "train"]},
         r"mask_classes \(bird, train\) lack boat: name every class that the masks were drawn for"),
        ({"max_megapixels": 1e-5}, r"image .* has 8 x 6 = .* max_megapixels"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(root, changes, message):
    draw(root, "3", 1)
    with pytest.raises(ValueError, match=message) as error:
        run(root, **changes)
    assert "\n" not in str(error.value)


def test_a_missing_root_tells_to_link_it(tmp_path):
    with pytest.raises(ValueError, match=r"none does not exist; link .* && ln -s .*/none"):
        run(tmp_path / "none")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "begin with '', but the first line must name the columns: image_id,labels or"),
        ("3,train\nbirds/1,bird\n", "begin with '3,train', but the first line must name"),
        ("image,label\n3,train\n", "begin with 'image,label', but the first line must name"),
        ("image_id labels\n3 train\n", "begin with 'image_id labels', but the first line must"),
        ("image_id,labels,labels\n3,train,\n", "name a column twice .image_id,labels,labels.; ren"),
        ("image_id,labels\n", "have no row; write one for each image"),
        ("image_id,labels\n3,\n", "have no label in any row; write some"),
        ("image_id,labels\n3,train\n,bird\n", "line 3 of .* names no image; write its image_id"),
        ("image_id,labels\n3,train,bird\n", "line 2 of .* has 3 cells, but the first line 2; join"),
        ("image_id;labels\n3;train;bird\n", "line 2 of .* 3 cells, but the first line 2; join the "
                                            "labels of an image by ';', in quotes where"),
        ("image_id,labels,split\n3,train\n", "line 2 of .* has 2 cells, but the first line 3"),
        ("image_id,labels,split\n3,train,dev\n", "line 2 of .* puts image 3 into the split dev; "
                                                 "the splits are train, val, test, ood"),
        ("image_id,labels,split\n3,train,\n", "line 2 of .* image 3 into the split ''; the splits"),
        ('image_id,labels\n3,"train\n', r"are no CSV \(line 2: unexpected end of data\); save"),
        ("image_id,labels\n3,train\n3.jpg,bird\n", "line 2 of .* and line 3 of .* are both of imag"
                                                   "e 3; join its labels by ';' in one of them"),
        ("image_id,labels\nx,train\ny,bird\n", "name no image of folder .*images: they begin with "
                                               "x, the images with 3; name the images as"),
        ("image_id,labels\n3,train\n4,Train\n", "write Train and train, which differ by their cas"),
        ('image_id,labels\n3,"train, bird"\n', "the label train, bird, which seems to be several"),
        ("image_id,labels\n3,a\nb/c/1,b\nb/1,b\n1,b\n", "line 5 of .* names the image 1, which may"
                                                      r" be .*b/1\.jpg or .*b/c/1\.jpg; write the"),
    ],
)  # fmt: skip
def test_wrong_tables_are_refused(tmp_path, table, message):
    write(tmp_path, table, ["3", "4", "b/1", "b/c/1", "birds/1"])
    shutil.rmtree(tmp_path / "images/birds")
    with pytest.raises(ValueError, match=message) as error:
        run(tmp_path)
    assert "\n" not in str(error.value) and "labels.csv" in str(error.value)


def test_a_table_in_another_encoding_is_refused(root):
    (root / "labels.csv").write_bytes("image_id,labels\n3,Züge\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"labels\.csv are no UTF-8 text; save the table as"):
        run(root)


@pytest.mark.parametrize("label", ["bird,train", "bird|train", "bird / train", "train+bird"])
def test_labels_that_are_joined_otherwise_are_not_lost(root, label):
    table = f'image_id,labels\n3,train\n4,bird\n5,"{label}"\n'
    (root / "labels.csv").write_text(table)
    with pytest.raises(ValueError, match="which seems to be several; join labels by ';', or name"):
        run(root, classes=["bird", "train"])


def test_a_class_may_hold_signs_where_it_is_named(root):
    (root / "labels.csv").write_text('image_id,labels\n3,"train, old"\n4,bird/plane\n')
    prepared = run(root, classes=["train, old", "bird/plane"])
    assert splits(prepared)["3"] == ("train", ("train, old",))
    assert splits(prepared)["4"] == ("train", ("bird/plane",))


def test_classes_that_differ_by_their_case_are_not_lost(root):
    (root / "labels.csv").write_text("image_id,labels\n3,train\n4,Train\n5,bird\n")
    with pytest.raises(ValueError, match="write train and Train, which differ by their case alone"):
        run(root, classes=["train", "bird"])
    assert run(root, classes=["bird"]).classes == ("bird",)


def test_two_images_of_one_id_are_refused(root):
    Image.new("RGB", (8, 6)).save(root / "images/3.png")
    with pytest.raises(ValueError, match=r"3\.jpg and .*3\.png would both be 3; rename one, or"):
        run(root)
    (root / "images/3.png").unlink()
    paint(root, "birds__1")
    with pytest.raises(ValueError, match=r"birds/1\.jpg would both be birds__1|birds__1\.jpg"):
        run(root)


def test_a_folder_without_images_is_refused(root):
    shutil.rmtree(root / "images")
    (root / "images").mkdir()
    with pytest.raises(ValueError, match=r"no image stands in folder .*images; put the images"):
        run(root)


def test_wrong_masks_are_refused(root):
    changes = {"masks": "masks"}
    (root / "masks").mkdir()
    with pytest.raises(ValueError, match=r"masks has no mask of any image; .*3\.png"):
        run(root, **changes)
    write_mask(root / "masks/3.png", np.zeros((8, 6), np.uint8))
    with pytest.raises(ValueError, match=r"3\.png is \(8, 6\), but its image is \(6, 8\)"):
        run(root, **changes)
    draw(root, "3", 4)
    with pytest.raises(ValueError, match=r"3\.png holds the value 4, but 3 classes take 1 to 3"):
        run(root, **changes)
    draw(root, "birds/1", 1)
    draw(root, "birds__1", 1)
    with pytest.raises(ValueError, match=r"image .*1\.jpg has the masks .* and .*; keep one"):
        run(root, **changes)


def test_broken_and_missing_images_are_refused(root):
    (root / "images/4.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"image .*4\.jpg cannot be read"):
        run(root)


def test_no_training_image_with_a_class_is_refused(root):
    (root / "labels.csv").write_text("image_id,labels,split\n3,train,val\n4,bird,ood\n")
    with pytest.raises(ValueError, match="no training image shows any of the classes bird, train"):
        run(root)


def test_copies_of_an_image_are_no_candidates(root, caplog):
    shutil.copy(root / "images/3.jpg", root / "images/6.jpg")
    shutil.copy(root / "images/3.jpg", root / "images/4.jpg")
    assert {"4", "6"} & set(splits(run(root))) == set()
    assert "2 OoD candidates are copies of train or val images and left out" in caplog.text
