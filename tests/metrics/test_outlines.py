"""Tests of outlines of label maps and of seeds, and of all scores of label maps together."""

import numpy as np
import pytest

from wsss.metrics.boundary import BoundaryScore
from wsss.metrics.confusion import ConfusionMatrix
from wsss.metrics.contour import ContourScore
from wsss.metrics.masks import score_masks
from wsss.metrics.object_size import ObjectSizes, scores_by_size
from wsss.metrics.region_contour import region_and_contour
from wsss.metrics.seeds import FurtherSeedScores
from wsss.metrics.threshold import ThresholdSweep
from wsss.metrics.tidy import COLUMNS, tidy_rows

CONTOUR = {"tolerance": 0.01, "absent_classes": "left_out"}
BOUNDARY = {"tolerance": 0.02}
SIZE = {"group_size": 1}
ALL = {"contour": CONTOUR, "boundary": BOUNDARY, "object_size": SIZE}
NONE = dict.fromkeys(ALL)


def _images(count=9):
    """Ground truths of blocks, class ids, maps and spurious masks."""
    rng = np.random.default_rng(2)
    for number in range(count):
        truth = np.kron(rng.choice([0, 1, 2, 3, 255], (3, 4)), np.ones((8, 8))).astype(np.uint8)
        class_ids = rng.permutation(3)[: number % 3]
        maps = rng.random((len(class_ids), 3, 4)).repeat(8, 1).repeat(8, 2).astype(np.float32)
        yield truth, class_ids, maps, rng.integers(0, 3, truth.shape).astype(np.uint8)


def _seed(class_ids, maps, threshold):
    layers = np.concatenate([np.full((1, 24, 32), threshold, np.float32), maps])
    return np.concatenate([[0], class_ids + 1]).astype(np.uint8)[np.argmax(layers, 0)]


def _expected(threshold):
    """All further scores of the seeds at a threshold, from the single metrics."""
    confusion, sizes = ConfusionMatrix(4, ignore_index=255), ObjectSizes(4, ignore_index=255)
    contour = ContourScore(4, ignore_index=255, tolerance=0.01)
    boundary = BoundaryScore(ignore_index=255, tolerance=0.02)
    for truth, class_ids, maps, _ in _images():
        seed = _seed(class_ids, maps, threshold)
        for score in (confusion, contour, boundary):
            score.update(truth, seed)
        sizes.update(truth)
    joined = region_and_contour(confusion.matrix, contour, absent_classes="left_out")
    found = {name: joined[name] for name in ("contour_f", "j_and_f")} | boundary.summary()
    return confusion, found | scores_by_size(confusion.matrix, sizes.mean_sizes(), group_size=1)


def test_seeds_have_the_scores_of_the_single_metrics_at_every_threshold():
    thresholds = [0.6, 0.3, 0.3 + 1e-12]
    sweep = ThresholdSweep(4, [0.3, 0.6], ignore_index=255)
    further = FurtherSeedScores(4, thresholds, ignore_index=255, **ALL)
    for truth, class_ids, maps, _ in _images():
        sweep.update(truth, class_ids, maps)
        further.update(truth, class_ids, maps)
    for threshold in thresholds:
        confusion, expected = _expected(threshold)
        matrix = sweep.matrix(threshold)
        np.testing.assert_array_equal(matrix, confusion.matrix)
        assert further.summary(threshold, matrix) == pytest.approx(expected, nan_ok=True)
        assert 0 < expected["contour_f"] < 1 and 0 < expected["boundary_f1"] < 1
    with pytest.raises(KeyError):
        further.summary(0.5, matrix)


def test_what_nobody_asks_for_is_not_there():
    matrix = np.eye(4, dtype=int)
    nothing = FurtherSeedScores(4, [0.3], ignore_index=255, **NONE)
    assert not nothing.asked and nothing.summary(0.3, matrix) == {}
    for name, starts in (
        ("contour", "contour_f"),
        ("boundary", "boundary"),
        ("object_size", "pre"),
    ):
        one = FurtherSeedScores(4, [0.3], ignore_index=255, **(NONE | {name: ALL[name]}))
        assert one.asked
        for truth, class_ids, maps, _ in _images():
            one.update(truth, class_ids, maps)
        found = one.summary(0.3, matrix)
        assert next(iter(found)).startswith(starts)
        assert len(found) == {"contour": 2, "boundary": 3, "object_size": 16}[name]


def _masks(unsure=False):
    for truth, class_ids, maps, spurious in _images():
        seed = _seed(class_ids, maps, 0.3)
        yield truth, np.where(seed == 0, 255, seed).astype(np.uint8) if unsure else seed, spurious


@pytest.mark.parametrize("unsure", [False, True])
def test_masks_have_the_scores_of_the_single_metrics(unsure):
    confusion, expected = _expected(0.3)
    pairs = [(0, 1), (0, 2)]
    found = score_masks(_masks(unsure), num_classes=4, pairs=pairs, **ALL)
    np.testing.assert_array_equal(found.matrix, confusion.matrix)
    assert list(found.ratios) == pairs
    ratio = {"confusion_ratio": np.mean(list(found.ratios.values())), "num_pairs": 2}
    assert found.further == pytest.approx(expected | ratio, nan_ok=True)
    # The first of them as they always were.
    assert list(found.further)[:1] == ["contour_f"]


def test_masks_of_which_nobody_asks_more():
    found = score_masks(_masks(), num_classes=4, pairs=[], **NONE)
    assert found.further == pytest.approx({"confusion_ratio": np.nan, "num_pairs": 0}, nan_ok=True)
    assert found.ratios == {}


def test_a_pair_has_a_row_under_both_names():
    rows = tidy_rows(
        np.eye(3, dtype=int),
        classes=("boat", "train"),
        num_images=5,
        further={"confusion_ratio": 0.3, "num_pairs": 2},
        ratios={(1, 4): 0.5, (1, 2): 0.1},
        spurious={"train": (("rail", 4), ("platform", 2))},
        place={"dataset": "d"},
    )
    assert all(tuple(row) == COLUMNS for row in rows)
    ratios = {r["class_name"]: r["value"] for r in rows if r["metric"] == "confusion_ratio"}
    assert ratios == {"all": 0.3, "train;rail": 0.5, "train;platform": 0.1}
    assert [row["class_name"] for row in rows[-2:]] == ["train;rail", "train;platform"]
