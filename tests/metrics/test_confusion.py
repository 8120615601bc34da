"""Tests of the confusion matrix and the conventions of its means."""

import numpy as np
import pytest

from tests import golden
from wsss.metrics.confusion import (
    ConfusionMatrix,
    summarise_deeplab,
    summarise_plain,
    unsure_as_background,
)

TRUTH = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)
PREDICTION = np.array([[0, 1, 1], [0, 1, 2]], np.uint8)


def _filled(truth: np.ndarray, prediction: np.ndarray, num_classes: int = 4) -> ConfusionMatrix:
    confusion = ConfusionMatrix(num_classes, ignore_index=255)
    confusion.update(truth, prediction)
    return confusion


def test_case_by_hand() -> None:
    confusion = _filled(TRUTH, PREDICTION)
    expected = np.zeros((4, 4), int)
    expected[:2, :2] = [[1, 1], [1, 2]]
    np.testing.assert_array_equal(confusion.matrix, expected)
    np.testing.assert_allclose(confusion.iou(), [1 / 3, 2 / 4, np.nan, np.nan])
    summary = confusion.summary()
    assert summary["miou"] == pytest.approx(5 / 12)
    assert summary["precision"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert summary["recall"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert summary["pixel_accuracy"] == pytest.approx(3 / 5)
    assert summary["num_classes"] == 2


def test_classes_with_empty_union_are_left_out_and_counted() -> None:
    truth = np.zeros((2, 2), np.uint8)
    summary = _filled(truth, np.array([[0, 0], [0, 3]], np.uint8)).summary()
    assert summary["num_classes"] == 2
    assert summary["miou"] == pytest.approx((3 / 4 + 0) / 2)
    assert summary["precision"] == pytest.approx(1 / 2)
    assert summary["recall"] == pytest.approx((3 / 4 + 0) / 2)


def test_empty_matrix_has_no_scores() -> None:
    summary = ConfusionMatrix(3, ignore_index=255).summary()
    assert np.isnan(summary["miou"]) and summary["num_classes"] == 0


def test_order_and_parts_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 4, (6, 2, 5, 7)).astype(np.uint8)
    whole, first, second = (ConfusionMatrix(4, ignore_index=255) for _ in range(3))
    for truth, prediction in images[::-1]:
        whole.update(truth, prediction)
    for number, (truth, prediction) in enumerate(images):
        (first if number % 2 else second).update(truth, prediction)
    first.merge(second)
    np.testing.assert_array_equal(first.matrix, whole.matrix)


def test_permuted_classes_permute_the_scores() -> None:
    rng = np.random.default_rng(1)
    truth, prediction = rng.integers(0, 4, (2, 9, 9)).astype(np.uint8)
    order = np.array([2, 0, 3, 1], np.uint8)
    plain, permuted = _filled(truth, prediction), _filled(order[truth], order[prediction])
    np.testing.assert_allclose(permuted.f1()[order], plain.f1())


def test_largest_number_of_classes_and_no_ignored_label() -> None:
    truth = np.arange(255, dtype=np.uint8)[None]
    confusion = ConfusionMatrix(255, ignore_index=255)
    confusion.update(truth, truth)
    assert np.trace(confusion.matrix) == confusion.matrix.sum() == 255
    negative = ConfusionMatrix(4, ignore_index=-1)
    with pytest.raises(ValueError, match="label 255"):
        negative.update(TRUTH, PREDICTION)


def test_unsure_as_background() -> None:
    unsure = np.array([[1, 255]], np.uint8)
    np.testing.assert_array_equal(unsure_as_background(unsure, ignore_index=255), [[1, 0]])


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        (TRUTH, PREDICTION[:1], "bring the prediction to the size"),
        (TRUTH, TRUTH, "label 255"),
        (np.full((2, 3), 9, np.uint8), PREDICTION, "ground truth holds label 9"),
    ],
)
def test_refuses(truth: np.ndarray, prediction: np.ndarray, message: str) -> None:
    confusion = ConfusionMatrix(4, ignore_index=255)
    with pytest.raises(ValueError, match=message):
        confusion.update(truth, prediction)
    assert confusion.matrix.sum() == 0


def test_refuses_other_types_and_sizes() -> None:
    with pytest.raises(TypeError, match="uint8"):
        _filled(TRUTH.astype(int), PREDICTION)
    with pytest.raises(ValueError, match="cannot merge"):
        _filled(TRUTH, PREDICTION).merge(ConfusionMatrix(5, ignore_index=255))
    with pytest.raises(ValueError, match="num_classes is 300"):
        ConfusionMatrix(300, ignore_index=255)
    with pytest.raises(ValueError, match="also the number of a class"):
        ConfusionMatrix(4, ignore_index=3)


def test_deeplab_scores_are_official() -> None:
    case = golden.load("deeplab_misc_a")
    confusion = ConfusionMatrix(21, ignore_index=255)
    for truth, prediction in zip(case["in_gt"], case["in_pred"], strict=True):
        confusion.update(truth.astype(np.uint8), prediction.astype(np.uint8))
    golden.assert_close(case, "out_scores", list(summarise_deeplab(confusion.matrix).values()))
    golden.assert_close(case, "out_class_iou", confusion.iou())


def test_hfpl_overlap_is_official() -> None:
    case = golden.load("hfpl_eval_a")
    confusion = ConfusionMatrix(21, ignore_index=255)
    for truth, prediction in zip(case["in_gt"], case["in_pred"], strict=True):
        confusion.update(truth, prediction)
    values = [*np.nan_to_num(confusion.iou()), summarise_plain(confusion.matrix)["miou"]]
    golden.assert_close(case, "out_iou_png", 100 * np.array(values))
