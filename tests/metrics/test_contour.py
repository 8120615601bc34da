"""Tests of the contour F-score."""

import numpy as np
import pytest

from tests import golden
from wsss.metrics.contour import ContourScore, boundary, match_boundaries


def _naive_matches(truth: np.ndarray, prediction: np.ndarray, radius: int) -> list[int]:
    """Count boundary matches by all pairwise distances."""
    truth_at, prediction_at = (np.argwhere(boundary(mask)) for mask in (truth, prediction))
    squared = ((truth_at[:, None] - prediction_at[None]) ** 2).sum(-1) <= radius**2
    return [squared.any(1).sum(), squared.any(0).sum(), len(truth_at), len(prediction_at)]


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_matches_equal_pairwise_distances(radius: int) -> None:
    rng = np.random.default_rng(4)
    truth, prediction = np.zeros((2, 30, 24), bool)
    truth[5:20, 3:15] = True
    prediction[8:24, 1:14] = rng.random((16, 13)) > 0.1
    counts = match_boundaries(truth, prediction, radius=radius)
    np.testing.assert_array_equal(counts, _naive_matches(truth, prediction, radius))


def test_boundary_by_hand() -> None:
    mask = np.zeros((4, 4), bool)
    mask[2, 2] = True
    expected = np.zeros((4, 4), bool)
    expected[1:3, 1:3] = True
    np.testing.assert_array_equal(boundary(mask), expected)


def test_same_masks_score_one_and_far_ones_zero() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[5:10, 5:10] = 1
    same = ContourScore(3, ignore_index=255, tolerance=0.008)
    same.update(mask, mask)
    assert same.summary(absent_classes="one") == {"contour_f": 1.0, "num_classes": 2.0}
    assert same.summary(absent_classes="left_out") == {"contour_f": 1.0, "num_classes": 1.0}
    far = ContourScore(3, ignore_index=255, tolerance=0.008)
    far.update(mask, mask[::-1, ::-1])
    assert far.summary(absent_classes="left_out")["contour_f"] == 0
    far.merge(same)
    assert far.summary(absent_classes="left_out")["contour_f"] == pytest.approx(0.5)


def test_refuses() -> None:
    score = ContourScore(3, ignore_index=255, tolerance=0.008)
    mask = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="bring the prediction"):
        score.update(mask, mask[:2])
    with pytest.raises(KeyError, match="known: one, left_out"):
        score.summary(absent_classes="zero")
    with pytest.raises(ValueError, match="negative"):
        ContourScore(3, ignore_index=255, tolerance=-1)
    with pytest.raises(ValueError, match="cannot merge"):
        score.merge(ContourScore(4, ignore_index=255, tolerance=0.008))


@pytest.mark.parametrize("source", ["png", "cam"])
def test_contour_is_official(source: str) -> None:
    case = golden.load("hfpl_eval_a")
    total = ContourScore(21, ignore_index=255, tolerance=case.json["hyper"]["bound_th"])
    counts = []
    for number, truth in enumerate(case["in_gt"]):
        prediction = case["in_pred"][number] if source == "png" else _seed(case, number)
        one = ContourScore(21, ignore_index=255, tolerance=case.json["hyper"]["bound_th"])
        one.update(truth, prediction)
        counts.append(one.counts)
        total.merge(one)
    golden.assert_close(case, f"out_contour_counts_{source}", np.stack(counts))
    summary = total.summary(absent_classes="one")
    golden.assert_close(case, f"out_contour_f_{source}", summary["contour_f"])


def _seed(case: golden.Case, number: int) -> np.ndarray:
    maps = case["in_cams"][number]
    threshold = case.json["hyper"]["background_threshold_in_contour_for_cams"]
    labels = np.array([0, *(case["in_cam_classes"][number] + 1)], np.uint8)
    background = np.full((1, *maps.shape[1:]), threshold, np.float32)
    return labels[np.argmax(np.concatenate([background, maps]), 0)]
