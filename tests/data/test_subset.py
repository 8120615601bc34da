import itertools
import logging
from pathlib import Path

import numpy as np
import pytest

from wsss.data.records import ImageRecord
from wsss.data.subset import Draw

IDS = [f"image{number}" for number in range(30)]


def places(ids=IDS, *, number, random_seed=0):
    return Draw("scenes", "f_in", random_seed).places(ids, number=number, key="training_images")


def drawn(ids=IDS, *, number, random_seed=0):
    return [ids[place] for place in places(ids, number=number, random_seed=random_seed)]


@pytest.mark.parametrize("number", [None, len(IDS)])
def test_all_images_come_as_they_are(number):
    assert drawn(number=number) == IDS


def test_as_many_images_as_asked_for_come_in_their_order():
    for number in range(1, len(IDS) + 1):
        found = places(number=number)
        assert found.dtype == np.int64 and len(found) == number
        assert (np.diff(found) > 0).all()


def test_smaller_numbers_are_parts_of_larger_ones():
    parts = [set(drawn(number=number)) for number in range(1, len(IDS) + 1)]
    assert all(small < large for small, large in itertools.pairwise(parts))


def test_the_order_of_the_images_does_not_change_which_are_drawn():
    turned = [*IDS[::-2], *IDS[::2]][::-1]
    assert sorted(turned) == sorted(IDS) and turned != IDS
    for number in (1, 7, 29):
        assert set(drawn(turned, number=number)) == set(drawn(number=number))


def test_every_random_seed_has_its_own_and_every_image_the_same_chance():
    assert drawn(number=7) == drawn(number=7) != drawn(number=7, random_seed=1)
    counts = np.zeros(len(IDS), int)
    for random_seed in range(2000):
        counts[places(number=6, random_seed=random_seed)] += 1
    # 400 times each; the standard deviation of a count is 17.9.
    assert abs(counts - 400).max() < 4 * 17.9


def test_the_draw_is_not_that_of_the_set_itself():
    """A random OoD set is drawn by a permutation of all candidates with a seed of its own."""
    first = np.random.default_rng(0).permutation(len(IDS))[:7]
    assert set(drawn(number=7)) != {sorted(IDS)[place] for place in first}


def test_records_are_drawn_by_their_ids():
    records = [ImageRecord(name, Path(f"{name}.jpg"), "train", 4, 5, ()) for name in IDS]
    found = Draw("scenes", "f_in", 3).records(records, number=5, key="ood_images")
    assert [record.image_id for record in found] == drawn(number=5, random_seed=3)


def test_classes_that_lose_all_their_images_are_named(caplog):
    labels = [("car", "sky")] * (len(IDS) - 3) + [("boat",), ("rail", "car"), ()]
    records = [
        ImageRecord(name, Path(f"{name}.jpg"), "train", 4, 5, has)
        for name, has in zip(IDS, labels, strict=True)
    ]
    draw = Draw("scenes", "f_in", 0)
    assert len(draw.records(records, number=None, key="training_images")) == len(IDS)
    assert not caplog.messages
    first = draw.records(records, number=1, key="training_images")[0].labels
    assert caplog.messages == [
        "none of the 1 training images of scenes that config.classifiers.f_in.training_images "
        f"draws shows {', '.join(sorted({'boat', 'car', 'rail', 'sky'} - set(first)))}: the "
        "classifier learns only that they are absent"
    ]


def test_what_was_drawn_is_logged(caplog):
    with caplog.at_level(logging.INFO):
        places(number=None)
        assert not caplog.messages
        places(number=7, random_seed=4)
    assert caplog.messages == ["7 of 30 training images of scenes, drawn by random seed 4"]


@pytest.mark.parametrize("number", [0, -1, 31])
def test_a_number_beyond_what_there_is_names_the_option(number):
    with pytest.raises(ValueError) as caught:
        places(number=number)
    assert str(caught.value) == (
        f"config.classifiers.f_in.training_images is {number}, but there are 30 training images "
        "of scenes: name 1 to 30, or null for all of them"
    )
