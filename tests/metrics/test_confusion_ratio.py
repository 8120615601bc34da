"""Tests of the confusion ratio of co-occurring pairs."""

import numpy as np
import pytest

from wsss.metrics.confusion_ratio import ConfusionRatio


def _ratio() -> ConfusionRatio:
    return ConfusionRatio({0: 5, 2: 6}, num_classes=4, ignore_index=255)


def test_case_by_hand() -> None:
    truth = np.array([[1, 1, 0, 0, 0, 255]], np.uint8)
    spurious = np.array([[0, 5, 5, 5, 6, 5]], np.uint8)
    prediction = np.array([[1, 1, 1, 0, 1, 1]], np.uint8)
    ratio = _ratio()
    ratio.update(truth, spurious, prediction)
    # Two hits; of the spurious pixels only the third is outside the object, known and confused.
    assert ratio.ratios() == pytest.approx({0: 0.5, 2: np.nan}, nan_ok=True)
    assert ratio.summary() == {"confusion_ratio": 0.5, "num_pairs": 1.0}
    ratio.merge(ratio)
    assert ratio.summary() == {"confusion_ratio": 0.5, "num_pairs": 1.0}
    assert ratio.true_positives[0] == 4


def test_without_any_ratio_the_mean_is_nan() -> None:
    assert _ratio().summary() == pytest.approx(
        {"confusion_ratio": np.nan, "num_pairs": 0.0}, nan_ok=True
    )


def test_refuses() -> None:
    mask = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="differ in size"):
        _ratio().update(mask, mask[:1], mask)
    with pytest.raises(ValueError, match="zero-based foreground"):
        ConfusionRatio({3: 5}, num_classes=4, ignore_index=255)
    with pytest.raises(ValueError, match="spurious id 0"):
        ConfusionRatio({0: 0}, num_classes=4, ignore_index=255)
    with pytest.raises(ValueError, match="cannot merge"):
        _ratio().merge(ConfusionRatio({}, num_classes=4, ignore_index=255))
