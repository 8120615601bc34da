"""The ranking by hand, against sorting everything, and for a long stream."""

import math

import numpy as np
import pytest

from wsss.ood.rank import annotation_cost, rank_candidates

CLASSES = ("train", "bird")


def batched(image_ids, probs, size):
    for begin in range(0, len(image_ids), size):
        yield image_ids[begin : begin + size], probs[begin : begin + size]


def slow_ranking(image_ids, probs, classes, threshold, keep):
    """Sort all candidates of every class."""
    rows = []
    for c, name in enumerate(classes):
        able = [(-p[c], i) for i, p in zip(image_ids, probs.tolist(), strict=True)]
        able = sorted(pair for pair in able if -pair[0] >= threshold)[:keep]
        rows += [(name, r, i, -s) for r, (s, i) in enumerate(able, start=1)]
    return rows


def test_by_hand():
    """Image a stands in both classes; 0.5 itself is ranked; d is below for both."""
    probs = np.array([[0.9, 0.6], [0.5, 0.1], [0.2, 0.8], [0.4, 0.4]], dtype=np.float32)
    ranking, summary = rank_candidates(
        [(["a", "b"], probs[:2]), (["c", "d"], probs[2:])],
        classes=CLASSES,
        score_threshold=0.5,
        keep_per_class=10,
    )
    assert list(ranking.columns) == ["class_name", "rank", "image_id", "score"]
    assert ranking[["class_name", "rank", "image_id"]].values.tolist() == [
        ["train", 1, "a"],
        ["train", 2, "b"],
        ["bird", 1, "c"],
        ["bird", 2, "a"],
    ]
    np.testing.assert_allclose(ranking["score"], [0.9, 0.5, 0.8, 0.6], rtol=1e-6)
    assert summary.values.tolist() == [["train", 4, 2, 2], ["bird", 4, 2, 2]]


@pytest.mark.parametrize("batch", [1, 7, 500])
@pytest.mark.parametrize("keep", [1, 3, 20, 1000])
@pytest.mark.parametrize("levels", [8, 10_000])
def test_agrees_with_sorting_everything(batch, keep, levels):
    """With few distinct scores most ranks are decided by the image id."""
    rng = np.random.default_rng(keep)
    probs = rng.integers(0, levels, (500, 2)) / levels
    image_ids = [f"{n:06d}" for n in rng.permutation(500)]
    ranking, summary = rank_candidates(
        batched(image_ids, probs, batch), classes=CLASSES, score_threshold=0.5, keep_per_class=keep
    )
    expected = slow_ranking(image_ids, probs, CLASSES, 0.5, keep)
    assert [tuple(row) for row in ranking.values.tolist()] == expected
    assert summary["num_above_threshold"].tolist() == (probs >= 0.5).sum(axis=0).tolist()


def test_memory_stays_flat_over_a_long_stream():
    """Two hundred thousand candidates, of which ten are held: far below a megabyte at its peak."""
    import tracemalloc

    def stream():
        rng = np.random.default_rng(0)
        for batch in range(200):
            ids = np.char.add("i", np.arange(batch * 1000, (batch + 1) * 1000).astype(str))
            yield ids, rng.random((1000, 2), dtype=np.float32)

    tracemalloc.start()
    ranking, summary = rank_candidates(
        stream(), classes=CLASSES, score_threshold=0.5, keep_per_class=10
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(ranking) == 20
    assert summary["num_candidates"].tolist() == [200_000, 200_000]
    assert peak < 1_000_000


def test_no_candidate_gives_an_empty_ranking_with_columns():
    ranking, summary = rank_candidates([], classes=CLASSES, score_threshold=0.5, keep_per_class=1)
    assert list(ranking.columns) == ["class_name", "rank", "image_id", "score"]
    assert summary["num_kept"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("ids", "probs", "words"),
    [
        (["a"], [[0.1, 0.2, 0.3]], "one column per class"),
        (["a", "b"], [[0.1, 0.2]], "one row per image"),
        (["a", "b"], [[0.1, 0.2], [np.nan, 0.2]], "image b is not in 0..1"),
        (["a"], [[3.0, 0.2]], "image a is not in 0..1"),
        (["a", "a"], [[0.9, 0.2], [0.8, 0.1]], "candidate a comes twice"),
    ],
)
def test_bad_batches_are_refused(ids, probs, words):
    with pytest.raises(ValueError, match=words):
        rank_candidates(
            [(ids, np.array(probs))], classes=CLASSES, score_threshold=0.5, keep_per_class=5
        )


def test_bad_options_are_refused():
    good = {"classes": CLASSES, "score_threshold": 0.5, "keep_per_class": 5}
    for change, words in [
        ({"classes": ("a", "a")}, "each once"),
        ({"score_threshold": 50}, "not in 0..1"),
        ({"keep_per_class": 0}, "nothing would be ranked"),
    ]:
        with pytest.raises(ValueError, match=words):
            rank_candidates([], **{**good, **change})


def test_annotation_cost_of_the_paper():
    """With r = 0.2 the annotator checks 1.25 n images (w-ood 3.1)."""
    assert annotation_cost(1000, 0.2) == pytest.approx(1250)
    assert annotation_cost(0, 1.0) == 0
    assert annotation_cost(1, 1.0) == math.inf
    with pytest.raises(ValueError, match="positive rate 20"):
        annotation_cost(10, 20)
