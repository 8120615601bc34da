"""Tests of the confusion ratio of every pair of a class and a background."""

import numpy as np
import pytest

from wsss.metrics.confusion_ratio import ConfusionRatio

PAIRS = [(0, 5), (0, 6), (2, 6)]


def _confusion(pairs=PAIRS):
    return ConfusionRatio(pairs, num_classes=4, ignore_index=255)


def _images(seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(4):
        yield (
            rng.choice([0, 1, 2, 3, 255], (9, 8)).astype(np.uint8),
            rng.choice([0, 5, 6, 7], (9, 8)).astype(np.uint8),
            rng.integers(0, 4, (9, 8)).astype(np.uint8),
        )


def test_case_by_hand():
    truth = np.array([[1, 1, 0, 0, 0, 255, 3]], np.uint8)
    backgrounds = np.array([[0, 5, 5, 5, 6, 5, 6]], np.uint8)
    prediction = np.array([[1, 1, 1, 0, 1, 1, 1]], np.uint8)
    confusion = _confusion()
    confusion.update(truth, backgrounds, prediction)
    # Two hits. Rail: the third pixel; platform: the fifth, and the last, an object of class 2.
    assert confusion.ratios() == pytest.approx(
        {(0, 5): 1 / 2, (0, 6): 2 / 2, (2, 6): np.nan}, nan_ok=True
    )
    confusion.merge(confusion)
    assert confusion.true_positives == {0: 4, 2: 0}
    assert confusion.ratios()[0, 5] == 1 / 2


def test_equals_counting_pixel_by_pixel():
    confusion = _confusion()
    hits, confused = dict.fromkeys((0, 2), 0), dict.fromkeys(PAIRS, 0)
    for image in _images():
        confusion.update(*image)
        for truth, background, prediction in zip(*(mask.ravel() for mask in image), strict=True):
            for class_id in hits:
                hits[class_id] += truth == prediction == class_id + 1
            for class_id, number in PAIRS:
                wrong = prediction == class_id + 1 and truth not in (class_id + 1, 255)
                confused[class_id, number] += wrong and background == number
    ratios = {pair: confused[pair] / hits[pair[0]] for pair in PAIRS}
    assert confusion.ratios() == pytest.approx(ratios)
    assert confusion.summary() == pytest.approx(
        {"confusion_ratio": sum(ratios.values()) / 3, "num_pairs": 3}
    )


def test_without_any_ratio_the_mean_is_nan():
    assert _confusion().summary() == pytest.approx(
        {"confusion_ratio": np.nan, "num_pairs": 0}, nan_ok=True
    )


def test_order_parts_and_flips_do_not_matter():
    whole, first, second = (_confusion() for _ in range(3))
    for number, image in enumerate(_images()):
        whole.update(*image)
        (first if number % 2 else second).update(*(np.fliplr(mask) for mask in image))
    first.merge(second)
    assert first.ratios() == whole.ratios()
    assert all(value >= 0 for value in whole.ratios().values())


def test_permuted_classes_permute_the_ratios():
    order = np.arange(256).astype(np.uint8)
    order[1:4] = [3, 1, 2]  # class 0 -> 2, 2 -> 1
    plain, permuted = _confusion(), _confusion([(2, 5), (2, 6), (1, 6)])
    for truth, backgrounds, prediction in _images():
        plain.update(truth, backgrounds, prediction)
        permuted.update(order[truth], backgrounds, order[prediction])
    assert list(permuted.ratios().values()) == list(plain.ratios().values())


def test_refuses():
    mask = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="differ in size"):
        _confusion().update(mask, mask[:1], mask)
    with pytest.raises(ValueError, match="zero-based foreground"):
        _confusion([(3, 5)])
    with pytest.raises(ValueError, match="spurious id 0"):
        _confusion([(0, 0)])
    with pytest.raises(ValueError, match="a pair is named twice"):
        _confusion([(0, 5), (0, 5)])
    with pytest.raises(ValueError, match="cannot merge"):
        _confusion().merge(_confusion([(0, 5)]))
