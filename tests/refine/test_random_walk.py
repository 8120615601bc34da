import numpy as np
import pytest

from tests import golden
from tests.references.random_walk_dense import random_walk_dense
from wsss.refine.affinity import neighbours
from wsss.refine.random_walk import random_walk, transition_matrix

OPTIONS = {"radius": 5, "beta": 10, "exp_times": 8, "map_exponent": 1.0}


def _example(height, width, classes=2):
    rng = np.random.default_rng(0)
    maps = rng.random((classes, height, width)).astype(np.float32)
    return maps, (rng.random((height, width)) ** 2).astype(np.float32)


def test_walk_equals_official():
    case = golden.load("irn_walk_a")
    walked = random_walk(case["in_cam"], case["in_edge"][0], **OPTIONS)
    golden.assert_close(case, "out_walk", walked[:, None])


@pytest.mark.parametrize("size", [(6, 11), (9, 3), (2, 12), (1, 1), (1, 5)])
@pytest.mark.parametrize("map_exponent", [1.0, 1.5])
def test_walk_equals_dense_reference(size, map_exponent):
    maps, edge = _example(*size)
    options = {"radius": 4, "beta": 3, "exp_times": 4, "map_exponent": map_exponent}
    expected = random_walk_dense(maps, edge.astype(np.float64), **options)
    np.testing.assert_allclose(random_walk(maps, edge, **options), expected, rtol=1e-5, atol=1e-6)


def test_two_cells_by_hand():
    # Neighbours across a boundary of 1/2 with beta 1: stay 1, move 1/2, so 2/3 and 1/3.
    maps, edge = np.array([[[1.0, 0.0]]]), np.array([[0.5, 0.5]])
    walked = random_walk(maps, edge, radius=2, beta=1, exp_times=0, map_exponent=1.0)
    np.testing.assert_allclose(walked, [[[0.5 * 2 / 3, 0.5 / 3]]], rtol=1e-6)


def test_constant_without_boundary_stays():
    maps = np.full((1, 8, 9), 0.5, np.float32)
    walked = random_walk(maps, np.zeros((8, 9), np.float32), **OPTIONS)
    np.testing.assert_allclose(walked, maps, rtol=1e-6)


def test_nothing_crosses_a_closed_boundary():
    maps, edge = np.zeros((1, 8, 9), np.float32), np.zeros((8, 9), np.float32)
    maps[:, :, :4], edge[:, 4] = 1, 1
    walked = random_walk(maps, edge, **OPTIONS)
    assert walked[:, :, 5:].max() == 0
    np.testing.assert_allclose(walked[:, :, :4], 1, rtol=1e-6)


def test_flip_and_class_permutation():
    maps, edge = _example(8, 10)
    walked = random_walk(maps, edge, **OPTIONS)
    flipped = random_walk(maps[:, :, ::-1], edge[:, ::-1], **OPTIONS)[:, :, ::-1]
    np.testing.assert_allclose(flipped, walked, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(random_walk(maps[::-1], edge, **OPTIONS)[::-1], walked)


def test_range_is_kept():
    maps, edge = _example(8, 10)
    walked = random_walk(maps, edge, **OPTIONS)
    assert walked.dtype == np.float32 and walked.min() >= 0 and walked.max() <= maps.max()


def test_memory_is_linear_in_cells():
    offsets = neighbours(5)
    for height, width in ((20, 20), (40, 20)):
        matrix = transition_matrix(np.zeros((34, height, width)), offsets, beta=10)
        assert matrix.data.shape == (
            69,
            height * width,
        )  # 34 directions, back and forth, and itself


def test_no_classes():
    assert random_walk(np.zeros((0, 4, 5)), np.zeros((4, 5)), **OPTIONS).shape == (0, 4, 5)


def test_errors():
    maps, edge = _example(4, 5)
    with pytest.raises(ValueError, match="resize the maps"):
        random_walk(maps, edge.T, **OPTIONS)
    with pytest.raises(ValueError, match="sigmoid"):
        random_walk(maps, edge - 2, **OPTIONS)
    with pytest.raises(ValueError, match="ReLU"):
        random_walk(maps * np.nan, edge, **OPTIONS)
