import numpy as np
import pytest

from wsss.refine.crf import dense_crf
from wsss.refine.psa_labels import confident_labels, with_background

CRF = {
    "iterations": 3, "gaussian_sxy": 3, "gaussian_compat": 3, "bilateral_sxy": 80,
    "bilateral_srgb": 13, "bilateral_compat": 10,
}  # fmt: skip
ALPHAS = {"low_alpha": 4, "high_alpha": 32}
IMAGE = np.zeros((12, 16, 3), np.uint8)


def test_background_scores_by_hand():
    maps = np.array([[[0.0, 0.5, 1.0]], [[0.25, 0.0, 0.5]]])
    scores = with_background(maps, alpha=2)
    np.testing.assert_allclose(scores[0], [[0.5625, 0.25, 0.0]])
    np.testing.assert_array_equal(scores[1:], maps)
    assert scores.dtype == np.float32
    assert np.all(with_background(np.zeros((0, 2, 3)), alpha=2) == np.ones((1, 2, 3)))


def test_labels_follow_from_the_two_refined_scores():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, IMAGE.shape, dtype=np.uint8)
    maps = (rng.random((2, 12, 16)) ** 3).astype(np.float32)
    low, high = (
        dense_crf(image, with_background(maps, alpha=alpha), **CRF).argmax(0)
        for alpha in ALPHAS.values()
    )
    mask = confident_labels(image, maps, [4, 7], **ALPHAS, **CRF)
    expected = np.where(high == 0, 0, np.where(low == 0, 255, np.array([0, 5, 8])[low]))
    np.testing.assert_array_equal(mask, expected)
    assert {0, 5, 8, 255} == set(mask.ravel().tolist())


def test_between_the_alphas_is_unknown():
    maps = np.repeat(np.array([0.0, 0.2, 0.9], np.float32), 6)[None, None].repeat(12, 1)
    image = np.repeat(np.array([0, 120, 240], np.uint8), 6)[None, :, None]
    image = image.repeat(12, 0).repeat(3, 2)
    # 0.8 ** 4 = 0.41 is above 0.2, 0.8 ** 32 below.
    mask = confident_labels(image, maps, [4], **ALPHAS, **{**CRF, "gaussian_compat": 0})
    np.testing.assert_array_equal(mask, np.repeat([[0, 255, 5]], 12, axis=0).repeat(6, axis=1))


def test_equal_alphas_leave_nothing_unknown():
    maps = np.random.default_rng(1).random((1, 12, 16)).astype(np.float32)
    mask = confident_labels(IMAGE, maps, [4], low_alpha=4, high_alpha=4, **CRF)
    assert not (mask == 255).any()


def test_no_classes_is_background():
    assert not confident_labels(IMAGE, np.zeros((0, 12, 16)), [], **ALPHAS, **CRF).any()


def test_alphas_in_the_wrong_order():
    with pytest.raises(ValueError, match="low_alpha 5 is above high_alpha 4: exchange them"):
        confident_labels(IMAGE, np.zeros((1, 12, 16)), [0], low_alpha=5, high_alpha=4, **CRF)
