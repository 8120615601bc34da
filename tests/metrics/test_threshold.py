"""Tests of the one-pass threshold sweep against one arg-max per threshold."""

import numpy as np
import pytest

from tests import golden
from wsss.metrics.confusion import ConfusionMatrix, summarise_plain
from wsss.metrics.confusion_ratio import ConfusionRatio
from wsss.metrics.threshold import ThresholdSweep, seeds_at

THRESHOLDS = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0]


def _naive_seed(class_ids: np.ndarray, maps: np.ndarray, threshold: float) -> np.ndarray:
    """Return the seed as written in the papers: constant background first, arg-max."""
    background = np.full((1, *maps.shape[1:]), threshold, np.float32)
    labels = np.concatenate([[0], class_ids + 1]).astype(np.uint8)
    return labels[np.argmax(np.concatenate([background, maps.astype(np.float32)]), axis=0)]


def _images(count: int = 5) -> list[tuple[np.ndarray, ...]]:
    """Return images whose map values often tie with each other and with the thresholds."""
    rng = np.random.default_rng(3)
    images = []
    for number in range(count):
        class_ids = rng.permutation(4)[: number % 4]
        maps = (rng.integers(0, 9, (len(class_ids), 11, 8)) / 8).astype(np.float16)
        truth = rng.choice([0, 1, 2, 3, 4, 255], (11, 8)).astype(np.uint8)
        spurious = rng.integers(0, 3, (11, 8)).astype(np.uint8)
        images.append((truth, class_ids, maps, spurious))
    return images


def test_equals_one_argmax_per_threshold() -> None:
    pairs = [(0, 1), (0, 2), (2, 2)]
    sweep = ThresholdSweep(5, THRESHOLDS, ignore_index=255, pairs=pairs)
    for image in _images():
        sweep.update(*image)
    rows = sweep.curve()
    for threshold, row in zip(THRESHOLDS, rows, strict=True):
        confusion = ConfusionMatrix(5, ignore_index=255)
        ratio = ConfusionRatio(pairs, num_classes=5, ignore_index=255)
        for truth, class_ids, maps, spurious in _images():
            seed = _naive_seed(class_ids, maps, threshold)
            (same,) = seeds_at([threshold], class_ids, maps)
            np.testing.assert_array_equal(same, seed)
            confusion.update(truth, seed)
            ratio.update(truth, spurious, seed)
        np.testing.assert_array_equal(sweep.matrix(threshold), confusion.matrix)
        assert sweep.confusion_ratios(threshold) == pytest.approx(ratio.ratios(), nan_ok=True)
        expected = {"threshold": threshold} | confusion.summary() | ratio.summary()
        assert row == pytest.approx(expected, nan_ok=True)
    best = rows[int(np.argmax([row["miou"] for row in rows]))]
    assert sweep.best_by_ground_truth() == best["threshold"]


def test_parts_merge() -> None:
    whole, first, second = (ThresholdSweep(5, THRESHOLDS, ignore_index=255) for _ in range(3))
    for number, image in enumerate(_images()):
        whole.update(*image[:3])
        (first if number % 2 else second).update(*image[:3])
    first.merge(second)
    for threshold in THRESHOLDS:
        np.testing.assert_array_equal(first.matrix(threshold), whole.matrix(threshold))


def test_thresholds_keep_their_written_value() -> None:
    sweep = ThresholdSweep(3, [0.15, 0.22], ignore_index=255)
    truth = np.array([[1, 0]], np.uint8)
    sweep.update(truth, np.array([0]), np.array([[[0.3, 0.2]]]))
    assert [row["threshold"] for row in sweep.curve()] == [0.15, 0.22]
    assert sweep.best_by_ground_truth() == 0.22


def test_refuses() -> None:
    sweep = ThresholdSweep(3, [0.2], ignore_index=255, pairs=[(1, 7)])
    truth, ids, maps = np.zeros((2, 2), np.uint8), np.array([0]), np.zeros((1, 2, 2))
    with pytest.raises(ValueError, match="read them at the image's size"):
        sweep.update(truth, ids, maps[:, :1], truth)
    with pytest.raises(ValueError, match="zero-based foreground"):
        sweep.update(truth, np.array([2]), maps, truth)
    with pytest.raises(ValueError, match="needs the spurious mask"):
        sweep.update(truth, ids, maps)
    with pytest.raises(ValueError, match="must have one size"):
        sweep.update(truth, ids, maps, truth[:1])
    with pytest.raises(ValueError, match="strictly increasing"):
        ThresholdSweep(3, [0.2, 0.2], ignore_index=255)
    with pytest.raises(KeyError, match=r"threshold 0\.3 is not in the sweep"):
        sweep.matrix(0.3)
    with pytest.raises(ValueError, match="cannot merge"):
        sweep.merge(ThresholdSweep(3, [0.3], ignore_index=255))
    with pytest.raises(ValueError, match="no image"):
        sweep.best_by_ground_truth()


def test_seed_evaluation_is_official() -> None:
    case = golden.load("eval_seed_a")
    threshold = case.json["hyper"]["cam_eval_thres"]
    sweep = ThresholdSweep(21, [0.05, threshold, 0.4], ignore_index=255)
    for truth, class_ids, maps in zip(case["in_gt"], case["in_keys"], case["in_cams"], strict=True):
        sweep.update(truth, class_ids, maps)
    plain = summarise_plain(sweep.matrix(threshold))
    golden.assert_close(
        case, "out_miou_precision_recall", [plain[k] for k in ("miou", "precision", "recall")]
    )
    golden.assert_close(case, "out_eps_summary", list(plain.values()))


def test_hfpl_overlap_of_maps_is_official() -> None:
    case = golden.load("hfpl_eval_a")
    thresholds = case.json["hyper"]["cam_thresholds_for_overlap"]
    sweep = ThresholdSweep(21, thresholds, ignore_index=255)
    for truth, class_ids, maps in zip(
        case["in_gt"], case["in_cam_classes"], case["in_cams"], strict=True
    ):
        sweep.update(truth, class_ids, maps)
    for threshold in thresholds:
        matrix = sweep.matrix(threshold)
        union = matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
        overlap = np.diag(matrix) / np.maximum(union, 1)
        values = 100 * np.array([*overlap, summarise_plain(matrix)["miou"]])
        golden.assert_close(case, f"out_iou_cam_t{threshold}", values)
