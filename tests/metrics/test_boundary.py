"""Tests of the class-agnostic boundary score."""

import math

import cv2
import numpy as np
import pytest

from wsss.metrics.boundary import BoundaryScore, label_edges, match_edges


def _masks(seed=0, shape=(21, 17), classes=4):
    """Two label maps of smooth regions."""
    rng = np.random.default_rng(seed)
    noise = rng.random((2, classes, *shape)).astype(np.float32)
    smooth = [[cv2.GaussianBlur(layer, (0, 0), 2.5) for layer in mask] for mask in noise]
    return np.argmax(smooth, axis=1).astype(np.uint8)


def _score(truth, prediction, tolerance=0.05):
    score = BoundaryScore(ignore_index=255, tolerance=tolerance)
    score.update(truth, prediction)
    return score


def _edges_by_laplacian(mask):
    edges = np.zeros(mask.shape, bool)
    for label in range(256):
        indicator = (mask == label).astype(np.float64)
        edges |= cv2.Laplacian(indicator, cv2.CV_64F, ksize=1, borderType=cv2.BORDER_REPLICATE) != 0
    return edges


def _matches_by_pairs(truth, prediction, radius):
    truth_at, prediction_at = np.argwhere(truth), np.argwhere(prediction)
    near = ((truth_at[:, None] - prediction_at[None]) ** 2).sum(-1) <= radius**2
    return [near.any(1).sum(), near.any(0).sum(), len(truth_at), len(prediction_at)]


def test_edges_by_hand():
    mask = np.array([[0, 1, 2, 2], [0, 0, 2, 2]], np.uint8)
    expected = np.array([[1, 1, 1, 0], [0, 1, 1, 0]], bool)
    np.testing.assert_array_equal(label_edges(mask), expected)


@pytest.mark.parametrize("seed", range(3))
def test_edges_are_where_a_laplacian_is_not_zero(seed):
    for mask in _masks(seed):
        np.testing.assert_array_equal(label_edges(mask), _edges_by_laplacian(mask))


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 7])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_matches_equal_pairwise_distances(radius, share):
    truth, prediction = np.random.default_rng(radius).random((2, 30, 24)) < share
    counts = match_edges(truth, prediction, radius=radius)
    np.testing.assert_array_equal(counts, _matches_by_pairs(truth, prediction, radius))


def test_scores_by_hand():
    """A border two columns wide, predicted one column to the right; radius 0 and 1."""
    truth, prediction = np.zeros((2, 4, 8), np.uint8)
    truth[:, 4:], prediction[:, 5:] = 1, 2
    exact = _score(truth, prediction, tolerance=0).summary()
    assert exact == {"boundary_recall": 0.5, "boundary_precision": 0.5, "boundary_f1": 0.5}
    near = _score(truth, prediction, tolerance=0.1)
    assert near.summary()["boundary_f1"] == 1
    assert near.counts.tolist() == [8, 8, 8, 8]


def test_tolerance_is_a_share_of_the_diagonal_rounded_up():
    truth, prediction = np.zeros((2, 30, 40), np.uint8)
    truth[:, 20:], prediction[:, 23:] = 1, 1
    # Edges stand at 19, 20 and at 22, 23; the diagonal is 50, so that the radii are 1, 2 and 3.
    found = [_score(truth, prediction, tolerance=x).summary() for x in (0.02, 0.021, 0.041)]
    assert [summary["boundary_recall"] for summary in found] == [0, 0.5, 1]


def test_counts_are_summed_before_the_ratio():
    (small, _), (large, other) = _masks(shape=(5, 5)), _masks(1, shape=(40, 40))
    together = _score(small, small)
    together.merge(_score(large, other))
    matched, _, edges, _ = together.counts
    assert together.summary()["boundary_recall"] == matched / edges
    whole = _score(small, small)
    whole.update(large, other)
    np.testing.assert_array_equal(whole.counts, together.counts)


def test_properties():
    truth, prediction = _masks()
    summary = _score(truth, prediction, tolerance=0.03).summary()
    assert all(0 <= value <= 1 for value in summary.values())
    for flip in (np.fliplr, np.flipud, np.transpose):
        assert _score(flip(truth), flip(prediction), tolerance=0.03).summary() == summary
    order = np.array([2, 3, 1, 0], np.uint8)
    assert _score(truth, order[prediction], tolerance=0.03).summary() == summary
    swapped = _score(prediction, truth, tolerance=0.03).summary()
    assert swapped["boundary_recall"] == summary["boundary_precision"]
    assert swapped["boundary_f1"] == summary["boundary_f1"]
    assert _score(truth, truth, tolerance=0).summary()["boundary_f1"] == 1
    wider = _score(truth, prediction, tolerance=0.1).summary()
    assert all(wider[name] >= summary[name] for name in summary)


def test_ignored_pixels_are_background():
    truth, prediction = np.zeros((2, 6, 6), np.uint8)
    truth[:, 2:4], truth[:, 4:], prediction[:, 4:] = 255, 1, 1
    assert _score(truth, prediction, tolerance=0).summary()["boundary_f1"] == 1


def test_without_edges():
    flat, mask = np.zeros((9, 9), np.uint8), _masks(shape=(9, 9))[0]
    nothing = _score(flat, flat).summary()
    assert all(math.isnan(value) for value in nothing.values())
    missed = _score(mask, flat).summary()
    assert missed["boundary_recall"] == missed["boundary_f1"] == 0
    assert math.isnan(missed["boundary_precision"])
    invented = _score(flat, mask).summary()
    assert invented["boundary_precision"] == invented["boundary_f1"] == 0
    assert math.isnan(invented["boundary_recall"])
    far = np.zeros((2, 30, 30), np.uint8)
    far[0, :, 2:], far[1, :, 28:] = 1, 1
    assert _score(*far, tolerance=0).summary()["boundary_f1"] == 0


def test_refuses():
    score = BoundaryScore(ignore_index=255, tolerance=0.0075)
    mask = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="bring the prediction to the size"):
        score.update(mask, mask[:2])
    for tolerance in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="is not a number from 0"):
            BoundaryScore(ignore_index=255, tolerance=tolerance)
    with pytest.raises(ValueError, match=r"cannot merge boundary scores of tolerances 0\.0075"):
        score.merge(BoundaryScore(ignore_index=255, tolerance=0.01))
