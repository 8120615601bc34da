import numpy as np
import pytest

from wsss.refine.cues import refine
from wsss.refine.irn_labels import confident_labels
from wsss.refine.seed import seed_from_maps

THRESHOLDS = {"foreground_threshold": 0.6, "background_threshold": 0.2}
NO_CRF = {
    "certainty": 0.7, "iterations": 0, "gaussian_sxy": 3, "gaussian_compat": 3,
    "bilateral_sxy": 50, "bilateral_srgb": 5, "bilateral_compat": 10,
}  # fmt: skip


def test_by_hand():
    maps = np.array([[[0.25, 0.3, 0.7, 0.5, 0.9]], [[0, 0, 0.8, 0, 0.9]]], np.float32)
    options = {"foreground_threshold": 0.5, "background_threshold": 0.25}
    mask = refine(np.zeros((1, 5, 3), np.uint8), maps, np.array([7, 2]), **options)
    # A score at a threshold does not exceed it; between equal maps the first wins.
    assert mask.tolist() == [[0, 255, 3, 255, 8]]
    assert mask.dtype == np.uint8


def cases():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)
    return image, rng.random((3, 9, 8)).astype(np.float32) ** 3, np.array([4, 0, 19])


def test_labels_are_those_of_the_seeds_at_either_threshold():
    image, maps, ids = cases()
    mask = refine(image, maps, ids, **THRESHOLDS)
    strict = seed_from_maps(maps, ids, background_threshold=0.6)
    loose = seed_from_maps(maps, ids, background_threshold=0.2)
    assert {0, 255} < set(mask.ravel()) <= {0, 255, *(ids + 1)}
    np.testing.assert_array_equal(mask[strict > 0], strict[strict > 0])
    np.testing.assert_array_equal(mask == 0, loose == 0)


def test_equals_the_confident_labels_of_irn_without_a_crf():
    image, maps, ids = cases()
    found = confident_labels(image, maps, ids, **THRESHOLDS, **NO_CRF)
    np.testing.assert_array_equal(refine(image, maps, ids, **THRESHOLDS), found)


def test_one_threshold_leaves_nothing_unsure():
    image, maps, ids = cases()
    mask = refine(image, maps, ids, foreground_threshold=0.4, background_threshold=0.4)
    np.testing.assert_array_equal(mask, seed_from_maps(maps, ids, background_threshold=0.4))


@pytest.mark.parametrize(
    ("high", "low", "values"), [(0, 0, {1, 5, 20}), (1, 0, {255}), (1, 1, {0})]
)
def test_the_ends_of_the_thresholds(high, low, values):
    image, maps, ids = cases()
    mask = refine(image, maps, ids, foreground_threshold=high, background_threshold=low)
    assert set(mask.ravel().tolist()) == values


def test_an_image_without_classes_is_background():
    image, maps, _ = cases()
    assert not refine(image, maps[:0], np.array([], int), **THRESHOLDS).any()


def test_errors():
    image, maps, ids = cases()
    with pytest.raises(ValueError, match=r"0\.7 is above foreground_threshold 0\.6: exchange"):
        refine(image, maps, ids, **THRESHOLDS | {"background_threshold": 0.7})
    with pytest.raises(ValueError, match="one per map"):
        refine(image, maps, ids[:2], **THRESHOLDS)
