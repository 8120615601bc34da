from itertools import pairwise

import pytest

from tests.data.sets.fake_openimages import (
    HUMAN,
    MACHINE,
    OPTIONS,
    VAL,
    image_id,
    write_images,
    write_openimages,
    write_table,
)
from wsss.data.sets.openimages import prepare

HUMAN_ROWS = [
    (1, "Car", 1), (1, "Rail", 1),
    (2, "Van", "1.0"),
    (3, "Car", 0), (3, "Rail", 1),
    (4, "Rail", 1),
    (5, "Wheel", 1),
    (6, "Building", 1),
    (7, "Computer monitor", 1), (7, "Van", 1), (7, "Car", 0),
    (99, "Car", 1), (98, "Rail", 1), (98, "Van", 0),
]  # fmt: skip
NUMBERS = range(1, 10)


@pytest.fixture
def root(tmp_path):
    write_openimages(tmp_path / "oi", HUMAN_ROWS, images=NUMBERS)
    return tmp_path / "oi"


def run(root, **changes):
    return prepare(root.parent / "out", root=str(root), **{**OPTIONS, **changes})


def shown(prepared):
    """Labels by number of the image."""
    numbers = {image_id(number): number for number in range(100)}
    return {numbers[record.image_id]: record.labels for record in prepared.records}


def candidates(prepared):
    """Numbers of the candidates, sorted."""
    numbers = {image_id(number): number for number in range(100)}
    return sorted(numbers[record.image_id] for record in prepared.candidates)


def test_what_people_found_makes_training_images_and_what_nothing_speaks_for_candidates(root):
    prepared = run(root)
    assert prepared.classes == ("car", "tvmonitor")
    assert shown(prepared) == {1: ("car",), 2: ("car",), 7: ("car", "tvmonitor")}
    assert {record.split for record in prepared.records} == {"train"}
    # 5 is no part of a car but of a vehicle, 6 of a television only the other way about, and
    # nobody said anything of 8 and 9.
    assert candidates(prepared) == [3, 4, 5, 6]
    assert [truth.labels for truth in prepared.ground_truth] == [
        record.labels for record in prepared.records
    ]
    assert {truth.mask for truth in prepared.ground_truth} == {None}
    assert not (root.parent / "out").exists()


def test_records_say_where_images_are_and_how_large(root):
    write_images(root / "train", [3], height=5, width=9)
    prepared = run(root)
    first = next(record for record in prepared.candidates if record.image_id == image_id(3))
    assert first.path == root / "train" / f"{image_id(3)}.jpg" and first.path.is_file()
    assert (first.height, first.width, first.split, first.labels) == (5, 9, "ood", ())
    ids = [record.image_id for record in prepared.records]
    assert all(one < other for one, other in pairwise(ids))


def test_a_part_rules_a_candidate_out_but_makes_no_training_image(root):
    write_table(root / HUMAN, [(1, "Person", 1), (2, "Human face", 1), (3, "Rail", 1)])
    prepared = run(root, classes={"person": ["Person"]})
    assert shown(prepared) == {1: ("person",)} and candidates(prepared) == [3]


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [(0.5, [3, 6]), (0.7, [3, 4, 6]), (0.71, [3, 4, 5, 6]), (None, [3, 4, 5, 6]), (0.0, [3])],
)
def test_machines_rule_out_from_their_confidence_on_what_people_did_not_deny(
    root, confidence, expected
):
    # People denied that 3 shows a car, so a van is none either.
    rows = [(3, "Van", 0.9), (3, "Car", 0.8), (4, "Van", 0.6), (5, "Television", 0.7)]
    rows += [(6, "Car", 0.3), (9, "Rail", 0.9)]
    write_table(root / MACHINE, rows, is_machine=True)
    prepared = run(root, machine_confidence=confidence)
    # 9 has a label of a machine, which counts as one where machines are heard.
    heard = [] if confidence is None else [9]
    assert candidates(prepared) == [*expected, *heard]
    assert shown(prepared) == {1: ("car",), 2: ("car",), 7: ("car", "tvmonitor")}


def test_who_denies_a_kind_does_not_deny_what_it_is_a_kind_of(root):
    write_table(root / HUMAN, [(1, "Car", 1), (2, "Van", 0), (3, "Vehicle", 0)])
    write_table(root / MACHINE, [(n, "Car", 0.9) for n in (2, 3)], is_machine=True)
    assert candidates(run(root)) == [3]


def test_machines_make_no_training_image(root):
    write_table(root / MACHINE, [(8, "Car", 1.0)], is_machine=True)
    prepared = run(root)
    assert 8 not in shown(prepared) and 8 not in candidates(prepared)


def test_without_machines_their_tables_need_not_be_there(root):
    (root / MACHINE).unlink()
    assert candidates(run(root, machine_confidence=None)) == [3, 4, 5, 6]
    assert candidates(run(root, train_machine_labels=[])) == [3, 4, 5, 6]
    with pytest.raises(ValueError, match=r"machine-imagelabels\.csv do not exist; link OpenImages"):
        run(root)


def test_images_without_any_label_if_they_are_wanted(root):
    assert candidates(run(root, unannotated=True)) == [3, 4, 5, 6, 8, 9]


def test_images_that_are_not_on_the_disk_are_counted(root, caplog):
    caplog.set_level("INFO")
    run(root)
    assert (
        "of 9 images in " in caplog.text
        and "3 show a class, 0 more may show one, 4 speak for none, 2 have no label; 2 images "
        "that have labels are not there"
        in caplog.text
    )


def test_validation_images_are_those_of_their_own_folder_with_a_class(root):
    write_images(root / "validation", [11, 12, 13])
    write_table(root / VAL, [(11, "Van", 1), (12, "Rail", 1), (13, "Wheel", 1), (1, "Car", 1)])
    prepared = run(root, val_images=["validation"], val_human_labels=[VAL])
    splits = {record.image_id: record.split for record in prepared.records}
    assert splits[image_id(11)] == "val" and len(splits) == 4
    assert candidates(prepared) == [3, 4, 5, 6]


def test_all_images_may_stand_in_one_folder(root):
    (root / "train").rename(root / "images")
    write_images(root / "images", [11, 12])
    write_table(root / VAL, [(11, "Van", 1), (12, "Rail", 1)])
    folders = {"train_images": ["images"], "val_images": ["images"]}
    prepared = run(root, **folders, val_human_labels=[VAL])
    assert set(shown(prepared)) == {1, 2, 7, 11} and candidates(prepared) == [3, 4, 5, 6]
    with pytest.raises(ValueError, match="unannotated needs folders of val_images that are not"):
        run(root, **folders, val_human_labels=[VAL], unannotated=True)


def test_images_and_tables_may_come_in_several_parts(root):
    write_images(root / "more/train_f", [21, 22])
    write_table(root / "more/labels.csv", [(21, "Car", 1), (22, "Rail", 1), (3, "Van", 1)])
    prepared = run(
        root,
        train_images=["train", "more/train_f"],
        train_human_labels=[HUMAN, "more/labels.csv"],
    )
    assert set(shown(prepared)) == {1, 2, 3, 7, 21} and candidates(prepared) == [4, 5, 6, 22]
    paths = {record.path.parent for record in prepared.records}
    assert paths == {root / "train", root / "more/train_f"}


def test_a_name_that_two_labels_bear_means_both_and_a_label_itself_one(root, caplog):
    caplog.set_level("INFO")
    write_table(root / HUMAN, [(1, "Sheep", 1), (2, "sheep", 1), (3, "Rail", 1)])
    assert set(shown(run(root, classes={"sheep": ["SHEEP"]}))) == {1, 2}
    assert "'SHEEP' stands for the labels /m/07bgp, /m/08hhz2; write one" in caplog.text
    assert set(shown(run(root, classes={"sheep": ["/m/07bgp"]}))) == {1}


@pytest.mark.parametrize("header", [True, False])
def test_descriptions_with_and_without_header(tmp_path, header):
    write_openimages(tmp_path / "oi", HUMAN_ROWS, images=NUMBERS, header=header)
    classes = {"vehicle": ["Vehicle"], "car": ["Car"]}
    prepared = run(tmp_path / "oi", classes=classes)
    assert shown(prepared) == dict.fromkeys((1, 2, 7), ("car", "vehicle"))
    # A wheel is a part of a vehicle.
    assert candidates(prepared) == [3, 4, 6]


def test_limits_keep_every_class(root):
    for random_seed in range(5):
        prepared = run(root, limit=1, random_seed=random_seed)
        assert shown(prepared) == {7: ("car", "tvmonitor")}
        assert len(candidates(prepared)) == 1
    first = candidates(run(root, limit=2))
    assert first == candidates(run(root, limit=2)) and set(first) < {3, 4, 5, 6}
    assert {tuple(candidates(run(root, limit=2, random_seed=n))) for n in range(9)} > {tuple(first)}
    prepared = run(root, labelled_limit=1)
    assert shown(prepared) == {7: ("car", "tvmonitor")} and candidates(prepared) == [3, 4, 5, 6]


def test_limits_of_many_images_keep_every_class(tmp_path):
    rows = [(n, "Car" if n % 40 else "Television", 1) for n in range(1, 90)] + [(95, "Rail", 1)]
    write_openimages(tmp_path / "oi", rows, images=range(1, 99))
    for random_seed in range(5):
        labels = shown(run(tmp_path / "oi", limit=6, random_seed=random_seed)).values()
        assert len(labels) == 6 and {("car",), ("tvmonitor",)} == set(labels)


@pytest.mark.slow
def test_several_workers_read_the_same(root):
    one, two = run(root), run(root, workers=2)
    assert one.records == two.records and list(one.candidates) == list(two.candidates)
