import numpy as np
import pytest

from wsss.data.images import write_jpeg
from wsss.data.sets.folder import prepare
from wsss.store.masks import read_mask, write_mask

OPTIONS = {
    "images": "images",
    "labels": "labels.csv",
    "masks": "",
    "classes": [],
    "mask_classes": [],
    "val_fraction": 0.0,
    "limit": 0,
    "max_megapixels": 4.0,
    "random_seed": 0,
    "workers": 1,
}
TABLE = """image_id,labels
birds/1.jpg,bird
birds/2.jpg,bird;train
3.jpg,train
4.jpg,
5.jpg,boat
"""
IDS = ["3", "4", "5", "6", "birds__1", "birds__2"]
SIZE = (6, 8)


def paint(root, name, value=0):
    image = np.full((*SIZE, 3), value, np.uint8)
    write_jpeg(root / "images" / f"{name}.jpg", image, quality=90)


def write(root, table=TABLE, names=("birds/1", "birds/2", "3", "4", "5", "6")):
    for value, name in enumerate(names):
        paint(root, name, 12 * value)
    (root / "labels.csv").write_text(table)


def draw(root, name, *values):
    """Write a mask whose rows hold these values in turn."""
    mask = np.zeros(SIZE, np.uint8)
    mask[: len(values)] = np.array(values)[:, None]
    write_mask(root / "masks" / f"{name}.png", mask)


@pytest.fixture
def root(tmp_path):
    write(tmp_path / "data")
    return tmp_path / "data"


def run(root, **changes):
    return prepare(root.parent / "out", root=str(root), **{**OPTIONS, **changes})


def splits(prepared):
    return {record.image_id: (record.split, record.labels) for record in prepared.records}


def truths(prepared):
    return {truth.image_id: truth.labels for truth in prepared.ground_truth}


def test_a_table_and_a_folder_are_a_data_set(root):
    prepared = run(root)
    assert prepared.classes == ("bird", "boat", "train")
    assert splits(prepared) == {
        "3": ("train", ("train",)),
        "4": ("ood", ()),
        "5": ("train", ("boat",)),
        "6": ("ood", ()),
        "birds__1": ("train", ("bird",)),
        "birds__2": ("train", ("bird", "train")),
    }
    record = next(record for record in prepared.records if record.image_id == "birds__1")
    assert record.path == root / "images/birds/1.jpg" and (record.height, record.width) == SIZE
    # Nobody said what image 6 shows.
    assert truths(prepared) == {name: splits(prepared)[name][1] for name in IDS if name != "6"}
    assert not (root.parent / "out").exists()


def test_images_without_any_chosen_class_become_candidates(root, caplog):
    caplog.set_level("INFO")
    prepared = run(root, classes=["train"])
    assert prepared.classes == ("train",)
    shown = {name: split for name, (split, _) in splits(prepared).items()}
    assert {name for name in IDS if shown[name] == "train"} == {"3", "birds__2"}
    assert {name for name in IDS if shown[name] == "ood"} == {"4", "5", "6", "birds__1"}
    assert truths(prepared)["birds__1"] == () and truths(prepared)["birds__2"] == ("train",)
    assert "(with how many images have them): bird (2), boat (1)" in caplog.text


def test_rows_without_image_and_images_without_row_are_counted(root, caplog):
    write(root, TABLE + "7.jpg,bird\n8.jpg,boat\n")
    assert set(splits(run(root))) == set(IDS)
    assert "2 rows of " in caplog.text and "does not have (7.jpg, 8.jpg): they are left out" in (
        caplog.text
    )
    assert "1 images of folder " in caplog.text and "(6): they become OoD candidates" in caplog.text


def test_the_table_may_say_the_splits(root):
    table = "image_id,labels,split\nbirds/1,bird,train\nbirds/2,bird;train,VAL\n3,train,ood\n"
    names = ["birds/1", "birds/2", "3", "4", "5", "6", "7"]
    write(root, table + "4,,val\n5,,train\n6,boat, val \n7,,test\n", names)
    prepared = run(root, classes=["bird", "train"], val_fraction=0.9)
    assert splits(prepared) == {
        "birds__1": ("train", ("bird",)),
        "birds__2": ("val", ("bird", "train")),
        "3": ("ood", ()),
        "4": ("val", ()),
        "5": ("ood", ()),
        "6": ("val", ()),
        "7": ("test", ()),
    }
    # Of a candidate is known what it truly shows.
    assert truths(prepared)["3"] == ("train",) and truths(prepared)["5"] == ()


@pytest.mark.parametrize("random_seed", range(6))
def test_val_is_drawn_so_that_each_class_keeps_a_training_image(tmp_path, random_seed):
    names = [f"{n:02d}" for n in range(20)]
    labels = ["a", "a;b", *["b", "a"] * 8, "c;a", "d"]
    rows = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
    write(tmp_path, "\n".join(["image_id,labels", *rows]), names)
    for fraction, expected in ((0.25, 5), (0.95, None)):
        prepared = run(tmp_path, val_fraction=fraction, random_seed=random_seed)
        train = [record for record in prepared.records if record.split == "train"]
        assert {name for record in train for name in record.labels} == set("abcd")
        assert expected is None or len(prepared.records) - len(train) == expected
        again = run(tmp_path, val_fraction=fraction, random_seed=random_seed)
        assert again == prepared
    limited = run(tmp_path, val_fraction=0.25, random_seed=random_seed, limit=4)
    kept = [record.split for record in limited.records]
    assert kept.count("train") == kept.count("val") == 4
    train = {name for r in limited.records if r.split == "train" for name in r.labels}
    assert train == set("abcd")


def test_masks_of_the_same_path_or_id_stay_where_they_are(root):
    draw(root, "birds/1", 1, 255)
    draw(root, "birds__2", 1, 3)
    draw(root, "4", 0)
    prepared = run(root, masks="masks")
    masks = {truth.image_id: truth.mask for truth in prepared.ground_truth}
    assert masks == {
        "birds__1": root / "masks/birds/1.png",
        "birds__2": root / "masks/birds__2.png",
        "3": None, "4": None, "5": None,
    }  # fmt: skip
    assert not (root.parent / "out").exists()


def test_masks_of_more_classes_are_written_anew(root):
    order = ["rail", "train", "bird", "boat"]
    draw(root, "3", 2, 1, 255, 0, 4)
    draw(root, "birds/2", 3, 2, 1)
    prepared = run(root, masks="masks", classes=["bird", "train"], mask_classes=order)
    masks = {truth.image_id: truth.mask for truth in prepared.ground_truth if truth.mask}
    assert masks["3"] == root.parent / "out/SegmentationClass/3.png" and len(masks) == 2
    assert read_mask(masks["3"])[:, 0].tolist() == [2, 0, 255, 0, 0, 0]
    assert read_mask(masks["birds__2"])[:, 0].tolist() == [1, 2, 0, 0, 0, 0]
    assert read_mask(root / "masks/3.png")[:, 0].tolist() == [2, 1, 255, 0, 4, 0]


def test_masks_of_the_same_classes_in_another_order_are_written_anew_too(root, caplog):
    draw(root, "3", 1)
    changes = {"masks": "masks", "classes": ["bird", "boat", "train"]}
    run(root, **changes, mask_classes=["train", "bird", "boat"])
    mask = read_mask(root.parent / "out/SegmentationClass/3.png")
    assert mask[0, 0] == 3 and "show a class that the labels" not in caplog.text
    run(root, **changes)
    assert "1 of 1 masks show a class that the labels of the image lack (3: bird): if" in (
        caplog.text
    )


def test_masks_may_stand_within_the_folder_of_images(root):
    for name in ("3", "birds/1"):
        draw(root / "images", name, 0)
    assert set(splits(run(root, masks="images/masks"))) == set(IDS)
    (root / "labels.csv").rename(root / "images/labels.csv")
    assert len(run(root / "images", images=".", masks="masks").records) == 6


def test_hidden_files_do_not_count_and_links_do(root):
    for name in (".ipynb_checkpoints/1", "._3"):
        paint(root, name)
    (root / "images/notes.txt").touch()
    (root / "images/again").symlink_to(root / "images")
    elsewhere = root.parent / "elsewhere"
    paint(elsewhere, "7", 200)
    (root / "images/linked").symlink_to(elsewhere / "images")
    assert set(splits(run(root))) == {*IDS, "linked__7"}


@pytest.mark.parametrize(
    "text",
    [
        "image_id,labels\nbirds__1,bird\n3,train\n",
        "image_id,labels\nbirds/1,bird\n3,train\n",
        "image_id,labels\n./birds/1.JPG,bird\n3.png,train\n",
        "image_id,labels\n1,bird\n3,train\n",
        "image_id,labels\nimages/birds/1.jpg,bird\n/home/me/images/3.jpg,train\n",
        "image_id,labels\nC:\\data\\birds\\1.jpg,bird\nC:\\data\\3.jpg,train\n",
        "\ufeffimage_id,labels\n3,train\nbirds/1,bird\n",
        "Image_ID , LABELS\r\n\r\n 3 , train ; ;train\r\n,\r\nbirds/1, bird;\r\n",
        "labels,note,image_id\nbird,x,birds/1\ntrain,,3\n",
        "image_id;labels\n3;train\nbirds/1;bird\n",
        'image_id;labels\n3;"train;train"\nbirds/1;"bird"\n',
        "image_id\tlabels\n3\ttrain\nbirds/1\tbird\n",
        'image_id,labels,,\n"3","train",,\n"birds/1","bird",,,\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables_as_people_and_programs_write_them(root, text, encoding):
    if encoding == "utf-16":
        text = text.lstrip("\ufeff")
    (root / "labels.csv").write_bytes(text.encode(encoding))
    shown = {name: labels for name, (_, labels) in splits(run(root)).items() if labels}
    assert shown == {"3": ("train",), "birds__1": ("bird",)}


def test_letters_with_accents_are_the_same_in_either_form(root):
    paint(root, "birds/e\u0301", 240)
    (root / "labels.csv").write_text("image_id,labels\nbirds/\u00e9.jpg,bird\n", encoding="utf-8")
    shown = {name: labels for name, (_, labels) in splits(run(root)).items() if labels}
    assert shown == {"birds__e\u0301": ("bird",)}


def test_a_name_means_the_image_that_it_fits_best(root):
    paint(root, "1", 250)
    paint(root, "birds/3", 251)
    write(root, "image_id,labels\n1,boat\nx/birds/1,bird\n3.jpg,train\nbirds/3,bird\n")
    shown = {name: labels for name, (_, labels) in splits(run(root)).items() if labels}
    assert shown == {
        "1": ("boat",), "birds__1": ("bird",), "3": ("train",), "birds__3": ("bird",),
    }  # fmt: skip


@pytest.mark.slow
def test_several_workers_read_the_same(root):
    draw(root, "3", 1)
    changes = {"masks": "masks", "mask_classes": ["train", "bird", "boat"]}
    assert run(root, **changes, workers=2) == run(root, **changes)
