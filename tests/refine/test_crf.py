import pickle
from functools import partial

import numpy as np
import pytest

from tests import golden
from wsss.refine.crf import dense_crf, dense_crf_labels, refine

KERNELS = {
    "iterations": 10,
    "gaussian_sxy": 3,
    "gaussian_compat": 3,
    "bilateral_sxy": 50,
    "bilateral_srgb": 5,
    "bilateral_compat": 10,
}
HARD = {**KERNELS, "certainty": 0.7}


def _two_halves():
    image = np.zeros((12, 16, 3), np.uint8)
    image[:, 8:] = 200
    return image


def test_probabilities_equal_official():
    case = golden.load("deeplab_misc_a")
    crf = case.json["hyper"]["crf"]
    probs = dense_crf(
        case["in_image"],
        case["in_prob"],
        iterations=crf["iter_max"],
        gaussian_sxy=crf["pos_xy_std"],
        gaussian_compat=crf["pos_w"],
        bilateral_sxy=crf["bi_xy_std"],
        bilateral_srgb=crf["bi_rgb_std"],
        bilateral_compat=crf["bi_w"],
    )
    golden.assert_close(case, "out_crf", probs)
    golden.assert_close(case, "out_crf_label", probs.argmax(0).astype(np.uint8))


@pytest.mark.parametrize("side", ["fg", "bg"])
def test_hard_labels_equal_official(side):
    case = golden.load("irn_label_a")
    (labels,) = dense_crf_labels(
        case["in_image"], [case[f"out_label_{side}"]], num_labels=3, **HARD
    )
    golden.assert_close(case, f"out_crf_{side}", labels)


def test_labels_follow_the_colours():
    labels = np.zeros((12, 16), np.uint8)
    labels[:, 7:] = 1  # one column too many
    labels[3, 2] = 1
    expected = np.repeat([[0, 1]], 12, axis=0).repeat(8, axis=1)
    (refined,) = dense_crf_labels(_two_halves(), [labels], num_labels=2, **HARD)
    np.testing.assert_array_equal(refined, expected)


def test_probabilities_sum_to_one_and_no_iterations_change_nothing():
    probs = np.random.default_rng(0).dirichlet([1, 1, 1], (12, 16)).transpose(2, 0, 1)
    np.testing.assert_allclose(dense_crf(_two_halves(), probs, **KERNELS).sum(0), 1, atol=1e-5)
    same = dense_crf(_two_halves(), probs, **{**KERNELS, "iterations": 0})
    np.testing.assert_allclose(same, probs, atol=1e-4)


def test_class_permutation():
    probs = np.random.default_rng(0).dirichlet([1, 1, 1], (12, 16)).transpose(2, 0, 1)
    straight = dense_crf(_two_halves(), probs, **KERNELS)
    np.testing.assert_allclose(dense_crf(_two_halves(), probs[::-1], **KERNELS)[::-1], straight)


def test_single_label_one_pixel_and_no_classes():
    pixel = np.zeros((1, 1, 3), np.uint8)
    assert dense_crf(pixel, np.ones((1, 1, 1)), **KERNELS).tolist() == [[[1.0]]]
    assert dense_crf(pixel, np.array([0.2, 0.8])[:, None, None], **KERNELS)[1, 0, 0] > 0.5
    (labels,) = dense_crf_labels(_two_halves(), [np.zeros((12, 16), int)], num_labels=1, **HARD)
    assert not labels.any()
    options = {**HARD, "background_threshold": 0.3}
    assert not refine(_two_halves(), np.zeros((0, 12, 16)), [], **options).any()
    assert refine(pixel, np.ones((1, 1, 1)), [4], **options).tolist() == [[5]]


def test_refine_smooths_the_seed():
    maps = np.zeros((1, 12, 16), np.float32)
    maps[:, :, 9:] = 1
    mask = refine(_two_halves(), maps, [6], background_threshold=0.3, **HARD)
    np.testing.assert_array_equal(mask, np.repeat([[0, 7]], 12, axis=0).repeat(8, axis=1))


def test_inputs_stay_and_functions_travel_to_processes():
    image, probs = _two_halves(), np.full((2, 12, 16), 0.5)
    image.flags.writeable = probs.flags.writeable = False
    function = pickle.loads(pickle.dumps(partial(dense_crf, **KERNELS)))
    assert function(image[:, ::-1], probs).shape == probs.shape


def test_errors():
    image = _two_halves()
    with pytest.raises(ValueError, match="RGB uint8"):
        dense_crf(image[..., 0], np.ones((2, 12, 16)), **KERNELS)
    with pytest.raises(ValueError, match="image's size"):
        dense_crf(image, np.ones((2, 6, 8)), **KERNELS)
    with pytest.raises(ValueError, match="softmax"):
        dense_crf(image, np.full((2, 12, 16), np.nan), **KERNELS)
    with pytest.raises(ValueError, match="without 255"):
        dense_crf_labels(image, [np.full((12, 16), 255)], num_labels=2, **HARD)
    with pytest.raises(ValueError, match="certainty"):
        dense_crf_labels(image, [np.zeros((12, 16), int)], num_labels=2, **{**HARD, "certainty": 1})


def test_several_labels_of_an_image_are_as_each_alone():
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    several = [rng.integers(0, 3, (12, 16)) for _ in range(3)]
    together = dense_crf_labels(image, several, num_labels=3, **HARD)
    for labels, found in zip(several, together, strict=True):
        (alone,) = dense_crf_labels(image, [labels], num_labels=3, **HARD)
        np.testing.assert_array_equal(found, alone)
