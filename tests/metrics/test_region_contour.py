"""Tests of region overlap and contour quality together (J&F)."""

import math

import numpy as np
import pytest

from tests import golden
from wsss.metrics.confusion import ConfusionMatrix
from wsss.metrics.contour import ContourScore
from wsss.metrics.region_contour import region_and_contour


def _scores(pairs, num_classes=3, tolerance=0.008):
    confusion = ConfusionMatrix(num_classes, ignore_index=255)
    contour = ContourScore(num_classes, ignore_index=255, tolerance=tolerance)
    for truth, prediction in pairs:
        confusion.update(truth, prediction)
        contour.update(truth, prediction)
    return confusion.matrix, contour


def test_by_hand():
    """A square of 4 x 4 predicted at the right place, but as 4 x 2: the other class is absent."""
    truth, prediction = np.zeros((2, 40, 40), np.uint8)
    truth[10:14, 10:14], prediction[10:14, 10:12] = 1, 1
    matrix, contour = _scores([(truth, prediction)])
    background, square = 1584 / 1592, 8 / 16
    f = contour.f_scores()[0]
    assert 0 < f < 1
    assert region_and_contour(matrix, contour, absent_classes="left_out") == pytest.approx(
        {
            "miou": (background + square) / 2,
            "contour_f": f,
            "j_and_f": ((background + square) / 2 + f) / 2,
        }
    )
    official = region_and_contour(matrix, contour, absent_classes="one")
    assert official["miou"] == pytest.approx((background + square + 0) / 3)
    assert official["contour_f"] == pytest.approx((f + 1) / 2)


def test_flips_and_permuted_classes_change_nothing():
    rng = np.random.default_rng(0)
    truth, prediction = np.repeat(np.repeat(rng.integers(0, 3, (2, 6, 6)), 5, 1), 5, 2).astype("u1")
    order = np.array([0, 2, 1], np.uint8)
    plain, permuted, same = (
        region_and_contour(*_scores([pair]), absent_classes="left_out")
        for pair in ((truth, prediction), (order[truth], order[prediction]), (truth, truth))
    )
    assert permuted == pytest.approx(plain)
    assert same == {"miou": 1, "contour_f": 1, "j_and_f": 1}
    assert all(0 <= value <= 1 for value in plain.values())


def test_nothing_but_background_has_no_contour():
    flat = np.zeros((5, 5), np.uint8)
    found = region_and_contour(*_scores([(flat, flat)]), absent_classes="left_out")
    assert found["miou"] == 1 and math.isnan(found["j_and_f"])


def test_refuses():
    matrix, contour = _scores([])
    with pytest.raises(KeyError, match="absent_classes is 'zero'; known: one, left_out"):
        region_and_contour(matrix, contour, absent_classes="zero")
    with pytest.raises(ValueError, match="matrix has 2 classes and the contour score 3"):
        region_and_contour(matrix[:2, :2], contour, absent_classes="one")


def test_official():
    case = golden.load("hfpl_eval_a")
    pairs = zip(case["in_gt"], case["in_pred"], strict=True)
    matrix, contour = _scores(pairs, 21, case.json["hyper"]["bound_th"])
    found = region_and_contour(matrix, contour, absent_classes="one")
    golden.assert_close(case, "out_contour_f_png", found["contour_f"])
    overlap = case["out_iou_png"].copy()
    overlap[-1] = 100 * found["miou"]
    golden.assert_close(case, "out_iou_png", overlap)
    mean = (case["out_iou_png"][-1] / 100 + case["out_contour_f_png"]) / 2
    assert found["j_and_f"] == pytest.approx(float(mean), rel=1e-4)
