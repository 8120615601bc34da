import numpy as np
import pytest

from wsss.refine.seed import label_indices, mask_of, refine, seed_from_maps

IMAGE = np.zeros((1, 4, 3), np.uint8)


def test_by_hand():
    maps = np.array([[[0.1, 0.3, 0.8, 0.5]], [[0.2, 0.1, 0.9, 0.5]]], np.float32)
    mask = seed_from_maps(maps, np.array([7, 2]), background_threshold=0.3)
    # Equal to the threshold is background; between equal maps the first wins.
    assert mask.tolist() == [[0, 0, 3, 8]] and mask.dtype == np.uint8
    np.testing.assert_array_equal(refine(IMAGE, maps, [7, 2], background_threshold=0.3), mask)


def test_class_permutation_and_flip():
    maps = np.random.default_rng(0).random((3, 5, 6)).astype(np.float32)
    ids = np.array([4, 0, 19])
    mask = seed_from_maps(maps, ids, background_threshold=0.4)
    permuted = seed_from_maps(maps[::-1], ids[::-1], background_threshold=0.4)
    np.testing.assert_array_equal(permuted, mask)
    flipped = seed_from_maps(maps[:, :, ::-1], ids, background_threshold=0.4)
    np.testing.assert_array_equal(flipped[:, ::-1], mask)


def test_no_classes_and_one_pixel():
    assert not refine(IMAGE, np.zeros((0, 1, 4)), [], background_threshold=0.2).any()
    assert seed_from_maps(np.ones((1, 1, 1)), [3], background_threshold=0.2).tolist() == [[4]]


@pytest.mark.parametrize(
    ("image", "maps", "ids", "message"),
    [
        (IMAGE.astype(float), np.zeros((1, 1, 4)), [0], "RGB uint8"),
        (IMAGE, np.zeros((1, 1, 5)), [0], "full size"),
        (IMAGE, np.zeros((1, 1, 4)), [0, 1], "one per map"),
        (IMAGE, np.full((1, 1, 4), np.nan), [0], "NaN"),
        (IMAGE, np.zeros((1, 1, 4)), [254], "0..253"),
        (IMAGE, np.zeros((1, 1, 4)), [-1], "0..253"),
    ],
)
def test_errors(image, maps, ids, message):
    with pytest.raises(ValueError, match=message):
        refine(image, maps, ids, background_threshold=0.2)


def test_index_without_class():
    indices = label_indices(np.ones((2, 1, 1)), background_threshold=0.2)
    assert mask_of(indices, [0, 1]).tolist() == [[1]]
    with pytest.raises(ValueError, match="one class per map"):
        mask_of(indices + 1, [0])
