"""Erasure by hand and its refusals."""

import numpy as np
import pytest

from wsss.ood.erase import erase_regions


@pytest.fixture
def image():
    return np.array([[[0, 10, 20], [100, 30, 21]]], dtype=np.uint8)


def test_only_pixels_at_or_above_the_threshold_change(image):
    before = image.copy()
    erased = erase_regions(image, np.array([[0.3, 0.29]]), threshold=0.3, fill="grey")
    assert erased.tolist() == [[[128, 128, 128], [100, 30, 21]]]
    assert erased.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


def test_mean_fill_is_the_mean_colour_of_the_image(image):
    erased = erase_regions(image, np.array([[0.0, 1.0]]), threshold=0.5, fill="mean")
    assert erased[0, 1].tolist() == [50, 20, 20]


def test_mistakes_are_refused(image):
    good = np.zeros((1, 2))
    with pytest.raises(ValueError, match="hand over the map at image size"):
        erase_regions(image, np.zeros((2, 1)), threshold=0.5, fill="grey")
    with pytest.raises(ValueError, match="divide it by its maximum"):
        erase_regions(image, np.array([[0, np.nan]]), threshold=0.5, fill="grey")
    with pytest.raises(ValueError, match="threshold 50"):
        erase_regions(image, good, threshold=50, fill="grey")
    with pytest.raises(ValueError, match="choose one of mean, grey"):
        erase_regions(image, good, threshold=0.5, fill="black")
