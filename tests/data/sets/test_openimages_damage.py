"""What an OpenImages folder can hold that is wrong."""

import json
import shutil

import pytest

from tests.data.sets.fake_openimages import HUMAN, MACHINE, OPTIONS, VAL, image_id, write_table
from tests.data.sets.test_openimages import candidates, root, run, shown
from wsss.data.sets import _openimages_images

__all__ = ["root"]

DESCRIPTIONS, HIERARCHY = OPTIONS["class_descriptions"], OPTIONS["hierarchy"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": ["images"]}, r"folder .*/images of images cannot be read .No such file"),
        ({"train_images": ["train", "train"]}, r"one image is .*\.jpg and .*\.jpg; name a folder"),
        ({"train_human_labels": ["a.csv"]}, r"labels .*a\.csv do not exist; link OpenImages'"),
        ({"val_images": ["train"]}, "val_images and val_human_labels must both be named or both"),
        ({"class_descriptions": "a.csv"}, r"class descriptions .*a\.csv do not exist; link"),
        ({"hierarchy": "a.json"}, r"hierarchy .*a\.json does not exist; link it there"),
        ({"classes": {"car": ["Cars"]}}, r"class car is to be Cars, but .*descriptions\.csv has "
                                         r"no such label; close are car"),
        ({"classes": {"car": ["/m/1"]}}, r"class car is to be /m/1, but .* has no such label"),
        ({"classes": {"car": []}}, "class car has no name in OpenImages; give it one"),
        ({"classes": {"rail": ["Rail"], "wheel": ["Human body"]}, "train_human_labels": [MACHINE]},
         "no training image shows any of the classes rail, wheel; add images"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(root, changes, message):
    write_table(root / MACHINE, [(1, "Woman", 1), (2, "Television", 0)])
    with pytest.raises(ValueError, match=message) as error:
        run(root, **changes)
    assert "\n" not in str(error.value)


def test_a_missing_root_tells_to_link_it(tmp_path):
    with pytest.raises(ValueError, match=r"none does not exist; .*link .* && ln -s .*/none"):
        run(tmp_path / "none")


def test_folders_without_images_are_refused(root):
    shutil.rmtree(root / "train")
    (root / "train").mkdir()
    (root / "train" / "photo.jpg").touch()
    with pytest.raises(ValueError, match=r"no image stands in .*/train; they are named ImageID"):
        run(root)


def test_tables_of_another_part_are_refused(root):
    write_table(root / VAL, [(50, "Car", 1), (51, "Rail", 1), (51, "Van", 0)])
    changes = {"train_human_labels": [VAL], "train_machine_labels": []}
    with pytest.raises(ValueError, match=r"no label is of an image in .*/train, but 2 other im"):
        run(root, **changes)


def test_labels_of_machines_are_no_verified_ones(root):
    write_table(root / HUMAN, [(1, "Car", 1), (2, "Van", "0.7")])
    with pytest.raises(ValueError, match=r"hold the confidence 0\.7 in line 3, but people say 0 o"):
        run(root)


def test_other_files_among_the_images_are_counted(root, caplog):
    for name in ("a.jpg", f"{image_id(1)}.png", f"{image_id(60).upper()}.jpg", ".hidden"):
        (root / "train" / name).touch()
    (root / "train" / "folder").mkdir()
    run(root)
    assert "3 files of " in caplog.text and "are not named as OpenImages' images" in caplog.text


def test_broken_candidates_are_told_together_after_the_last(root, caplog):
    for number, content in ((3, b""), (5, b"<html>")):
        (root / "train" / f"{image_id(number)}.jpg").write_bytes(content)
    prepared = run(root)
    with pytest.raises(ValueError, match=r"^2 images cannot be taken, which the log lists; one of"):
        candidates(prepared)
    lines = [record.message for record in caplog.records if "cannot be read" in record.message]
    assert len(lines) == 2 and image_id(3) in " ".join(lines) and image_id(5) in " ".join(lines)


def test_a_single_broken_image_is_named(root):
    (root / "train" / f"{image_id(4)}.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ValueError, match=rf"^image .*{image_id(4)}\.jpg cannot be read .*;"):
        candidates(run(root))
    (root / "train" / f"{image_id(1)}.jpg").unlink()
    (root / "train" / f"{image_id(1)}.jpg").symlink_to("nowhere")
    with pytest.raises(ValueError, match=rf"^image .*{image_id(1)}\.jpg does not exist, or"):
        run(root)


def test_images_that_are_too_large_end_it_after_some(root, monkeypatch):
    monkeypatch.setattr(_openimages_images, "MOST_BROKEN", 3)
    prepared = run(root, labelled_limit=1)
    assert candidates(prepared) == [3, 4, 5, 6] and shown(prepared)
    with pytest.raises(ValueError, match=r"^the first 3 images cannot be taken, .*max_megapixels"):
        run(root, max_megapixels=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "are empty; fetch them again"),
        (b"LabelName,DisplayName\n", "are empty; fetch them again"),
        (b"/m/0k4j,Car\nVan\n", "are not OpenImages': row 2 is Van, not a label and its name as"),
        (b"id,name\nCar,/m/0k4j\n", "are not OpenImages': row 2 is Car,/m/0k4j, not a label"),
        (b"/m/0k4j;Car\n", "are not OpenImages': row 1 is /m/0k4j;Car, not a label"),
        (b"/m/0k4j,\xff\xfe\n", "are no CSV"),
        (b'/m/0k4j,"Car\n', "are no CSV .unexpected end of data"),
    ],
)
def test_wrong_descriptions_are_refused(root, content, message):
    (root / DESCRIPTIONS).write_bytes(content)
    with pytest.raises(ValueError, match=rf"class descriptions .*\.csv {message}") as error:
        run(root)
    assert "\n" not in str(error.value)


def test_descriptions_with_a_mark_and_quotes(root):
    content = (root / DESCRIPTIONS).read_text().replace("/m/0k4j,Car", '/m/0k4j,"Car, or so"')
    (root / DESCRIPTIONS).write_bytes(b"\xef\xbb\xbf" + content.encode())
    assert shown(run(root, classes={"car": ["car, or SO"]})) == dict.fromkeys((1, 2, 7), ("car",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", r"is not OpenImages' .\[\] has no LabelName.: use bbox_labels_600"),
        ('{"name": "Entity", "children": []}', "has no LabelName.: use bbox_labels_600_hierarchy"),
        ('{"LabelName": "/m/1", "Subcategory": {}}', "Subcategory of /m/1 is no list.: use bbox"),
        ('{"LabelName": "/m/1", "Part": ["/m/2"]}', "'/m/2' has no LabelName.: use bbox_labels"),
        ('{"LabelName": 7}', "{'LabelName': 7} has no LabelName"),
    ],
)
def test_wrong_hierarchies_are_refused(root, content, message):
    (root / HIERARCHY).write_text(content)
    with pytest.raises(ValueError, match=rf"hierarchy .*\.json .*{message}") as error:
        run(root)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_deep_hierarchy_is_walked_to_its_end(root):
    names = ["/m/0k4j", *(f"/m/{n}" for n in range(300)), "/g/11c5m1"]
    node = None
    for name in reversed(names):
        node = {"LabelName": name} | ({"Subcategory": [node]} if node else {})
    (root / HIERARCHY).write_text(json.dumps(node))
    assert set(shown(run(root, classes={"car": ["Car"]}))) == {1, 3, 4}
