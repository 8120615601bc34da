import numpy as np
import pytest

from wsss.diagnose._images import choose_images

LABELS = {f"i{n:02d}": np.array([] if n % 4 == 0 else [n % 3]) for n in range(20)}


def choose(count, seed=0, among=None):
    return choose_images(LABELS, count=count, random_seed=seed, among=among)


def test_a_choice_is_of_labelled_images_and_of_its_seed():
    assert len(choose(100)) == 15 and all(len(LABELS[i]) for i in choose(100))
    assert choose(8) == choose(8) != choose(8, seed=1)
    assert len(set(choose(8))) == 8


def test_more_images_begin_with_those_that_fewer_are():
    assert choose(12)[:5] == choose(5)


def test_among_some_images_only():
    assert set(choose(100, among={"i00", "i01", "i02"})) == {"i01", "i02"}


def test_no_image_is_told():
    with pytest.raises(ValueError, match="no training image has a label and what else"):
        choose(3, among=())
