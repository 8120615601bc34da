"""Tests of the scores of classes of small and of large objects."""

import math

import numpy as np
import pytest

from wsss.metrics.confusion import ConfusionMatrix, summarise
from wsss.metrics.object_size import (
    ObjectSizes,
    classes_by_size,
    scores_by_size,
    summarise_by_size,
)

# Background and four classes. The third is predicted only.
MATRIX = np.array(
    [
        [50, 0, 2, 4, 0],
        [0, 6, 0, 0, 2],
        [3, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 9],
    ]
)


def _sizes(*masks, classes=4):
    sizes = ObjectSizes(classes, ignore_index=255)
    for mask in masks:
        sizes.update(np.array(mask, np.uint8))
    return sizes


def test_sizes_by_hand():
    sizes = _sizes([[0, 1, 1, 255]], [[1, 0, 0, 0], [0, 0, 2, 2]], [[0, 0]])
    assert sizes.mean_sizes() == pytest.approx([(2 / 4 + 1 / 8) / 2, 2 / 8, math.nan], nan_ok=True)


def test_scores_by_hand():
    sizes = np.array([0.1, 0.05, 0.01, 0.3])
    by_size = summarise_by_size(MATRIX, sizes, group_size=1)
    assert by_size["smallest"] == pytest.approx(
        {"precision": 1 / 3, "recall": 1 / 4, "f1": 2 / 7, "num_classes": 1}
    )
    assert by_size["largest"] == pytest.approx(
        {"precision": 9 / 11, "recall": 1, "f1": 18 / 20, "num_classes": 1}
    )
    assert by_size["all"] == pytest.approx(
        {
            "precision": (1 + 1 / 3 + 9 / 11) / 3,
            "recall": (3 / 4 + 1 / 4 + 1) / 3,
            "f1": (12 / 14 + 2 / 7 + 18 / 20) / 3,
            "num_classes": 3,
        }
    )


def test_groups():
    sizes = np.array([0.2, np.nan, 0.1, 0.2, 0.05])
    groups = {name: ids.tolist() for name, ids in classes_by_size(sizes, group_size=2).items()}
    assert groups == {"all": [4, 2, 0, 3], "smallest": [4, 2], "medium": [], "largest": [0, 3]}
    many = classes_by_size(sizes, group_size=10)
    assert many.pop("medium").size == 0
    assert all(ids.tolist() == [4, 2, 0, 3] for ids in many.values())
    one = classes_by_size(sizes, group_size=1)
    assert [one[name].tolist() for name in ("smallest", "medium", "largest")] == [[4], [2, 0], [3]]


@pytest.mark.parametrize(
    ("count", "groups"),
    [(0, [0, 0, 0]), (1, [1, 0, 1]), (2, [1, 0, 1]), (5, [2, 1, 2]), (20, [10, 0, 10])],
)
def test_half_of_the_classes_that_occur(count, groups):
    sizes = np.array([*np.arange(count), np.nan])
    found = classes_by_size(sizes, group_size=None)
    assert [found[name].size for name in ("smallest", "medium", "largest")] == groups


def test_scores_have_a_name_each():
    sizes = np.array([0.1, 0.05, 0.01, 0.3])
    by_size = summarise_by_size(MATRIX, sizes, group_size=1)
    flat = scores_by_size(MATRIX, sizes, group_size=1)
    assert len(flat) == 16 and flat["recall_small"] == by_size["smallest"]["recall"] == 1 / 4
    assert flat["num_classes_medium"] == 1 and flat["precision_medium"] == 6 / 6
    assert flat["f1_foreground"] == by_size["all"]["f1"]


def _images(seed=0, classes=5):
    rng = np.random.default_rng(seed)
    return [
        rng.choice([*range(classes), 255], (2, rng.integers(3, 9), rng.integers(3, 9))).astype(
            np.uint8
        )
        for _ in range(6)
    ]


def test_equals_counting_pixel_by_pixel():
    sizes, confusion = ObjectSizes(5, ignore_index=255), ConfusionMatrix(5, ignore_index=255)
    images = [
        (truth, np.where(prediction == 255, 0, prediction)) for truth, prediction in _images()
    ]
    for truth, prediction in images:
        sizes.update(truth)
        confusion.update(truth, prediction)
    expected = []
    for label in range(1, 5):
        shares = [np.mean(truth == label) for truth, _ in images if (truth == label).any()]
        expected.append(sum(shares) / len(shares))
    np.testing.assert_allclose(sizes.mean_sizes(), expected)
    by_size = summarise_by_size(confusion.matrix, sizes.mean_sizes(), group_size=2)
    smallest = sorted(range(4), key=lambda c: expected[c])[:2]
    recalls, precisions = [], []
    for label in (c + 1 for c in smallest):
        hits = sum(((t == label) & (p == label)).sum() for t, p in images)
        recalls.append(hits / sum((t == label).sum() for t, _ in images))
        precisions.append(hits / sum(((p == label) & (t != 255)).sum() for t, p in images))
    assert by_size["smallest"]["recall"] == pytest.approx(np.mean(recalls))
    assert by_size["smallest"]["precision"] == pytest.approx(np.mean(precisions))


def test_order_parts_flips_and_scale_do_not_matter():
    truths = [truth for truth, _ in _images()]
    whole, turned = _sizes(*truths, classes=5), _sizes(*truths[::-1], classes=5)
    first, second = _sizes(*truths[:2], classes=5), _sizes(*truths[2:], classes=5)
    first.merge(second)
    flipped = _sizes(*(np.fliplr(truth) for truth in truths), classes=5)
    doubled = _sizes(*(truth.repeat(2, 0).repeat(2, 1) for truth in truths), classes=5)
    for other in (turned, first, flipped, doubled):
        np.testing.assert_allclose(other.mean_sizes(), whole.mean_sizes())


def test_permuted_classes_change_no_group():
    sizes, order = np.array([0.1, 0.05, 0.2, 0.3]), np.array([2, 0, 3, 1])
    rows = np.array([0, *(order + 1)])
    permuted = summarise_by_size(MATRIX[np.ix_(rows, rows)], sizes[order], group_size=2)
    expected = summarise_by_size(MATRIX, sizes, group_size=2)
    for name in expected:
        assert permuted[name] == pytest.approx(expected[name], nan_ok=True)


def test_all_classes_are_those_of_the_summary_without_background():
    matrix = np.random.default_rng(0).integers(1, 50, (6, 6))
    everything = summarise_by_size(matrix, np.arange(5.0), group_size=5)["all"]
    confusion = ConfusionMatrix(6, ignore_index=255)
    confusion.matrix = matrix
    for name in ("precision", "recall", "f1"):
        with_background = everything[name] * 5 + getattr(confusion, name)()[0]
        assert with_background / 6 == pytest.approx(summarise(matrix)[name])


def test_without_any_class():
    empty = summarise_by_size(np.zeros((3, 3), int), np.full(2, np.nan), group_size=1)
    assert empty["smallest"] == pytest.approx(
        {"precision": math.nan, "recall": math.nan, "f1": math.nan, "num_classes": 0}, nan_ok=True
    )


def test_refuses():
    sizes = _sizes([[0, 1]])
    with pytest.raises(TypeError, match="masks are uint8, not int64"):
        sizes.update(np.zeros((2, 2), np.int64))
    with pytest.raises(ValueError, match="holds label 9, but there are 4 classes"):
        sizes.update(np.full((2, 2), 9, np.uint8))
    with pytest.raises(ValueError, match=r"of shape \(0, 4\) has no pixels"):
        sizes.update(np.zeros((0, 4), np.uint8))
    with pytest.raises(ValueError, match="cannot merge object sizes of 4 and 5"):
        sizes.merge(ObjectSizes(5, ignore_index=255))
    for number in (1, 256):
        with pytest.raises(ValueError, match=f"num_classes is {number}; give 2 to 255"):
            ObjectSizes(number, ignore_index=255)
    with pytest.raises(ValueError, match="group_size is 0"):
        summarise_by_size(MATRIX, np.zeros(4), group_size=0)
    with pytest.raises(ValueError, match=r"sizes of shape \(5,\) do not fit .* of 5 classes"):
        summarise_by_size(MATRIX, np.zeros(5), group_size=1)
