"""The OoD functions at their edges: few images, equal ones, empty classes and clusters."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsss.losses.wood_distance import distance_terms
from wsss.ood.cluster import class_means, group_ood
from wsss.ood.decisions import decide_by_oracle, decision_summary, keep_all
from wsss.ood.rank import rank_candidates
from wsss.ood.select import select_hard

OPTIONS = {"clustering": "kmeans", "clusters": 50, "iterations": 5, "random_seed": 0}


def ranked(probs, threshold):
    """The ranking and its summary of a few candidates."""
    batches = [([f"i{n}" for n in range(len(probs))], np.asarray(probs, np.float32))]
    return rank_candidates(
        batches, classes=["a", "b"], score_threshold=threshold, keep_per_class=9
    )  # fmt: skip


def test_nothing_to_rank_is_an_empty_ranking_with_all_its_columns(caplog):
    ranking, summary = rank_candidates([], classes=["a"], score_threshold=0.5, keep_per_class=1)
    assert ranking.empty and list(ranking.columns) == ["class_name", "rank", "image_id", "score"]
    assert summary.values.tolist() == [["a", 0, 0, 0]]
    assert "none of 0 candidates reaches the score threshold 0.5 for a" in caplog.text
    assert keep_all(ranking).empty and decide_by_oracle(ranking, {}).empty
    assert decision_summary(keep_all(ranking), ranking, wanted=None)["num_ranked"].tolist() == [0]


def test_a_class_without_hard_images_is_named_and_the_set_is_of_the_others(caplog):
    ranking, _ = ranked([[0.9, 0.1], [0.6, 0.2]], 0.5)
    assert "for b: lower it, or offer more" in caplog.text and "for a" not in caplog.text
    assert select_hard(ranking, keep_all(ranking), size=None)["class_name"].tolist() == ["a", "a"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1])
def test_a_score_that_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match=r"a probability of image i1 is not in 0\.\.1"):
        ranked([[0.9, 0.1], [0.6, bad]], 0.5)


@pytest.mark.parametrize("initialization", ["first", "kmeans++"])
@pytest.mark.parametrize(("images", "distinct"), [(1, 1), (4, 1), (7, 2), (60, 3)])
def test_fewer_or_equal_features_give_finite_centres_and_a_log(
    initialization, images, distinct, caplog
):
    features = np.random.default_rng(0).normal(size=(distinct, 6)).astype(np.float32)
    features = features[np.arange(images) % distinct]
    labels, means = group_ood(
        features, np.zeros((images, 2)), initialization=initialization, **OPTIONS
    )
    assert means.shape == (min(50, images), 6) and np.isfinite(means).all()
    np.testing.assert_allclose(means[labels], features, rtol=1e-5)
    empty = len(means) - distinct
    assert (~means.any(axis=1)).sum() == empty
    assert ("clusters of OoD features are empty" in caplog.text) == (empty > 0)
    assert (f"{images} clusters instead of 50" in caplog.text) == (images < 50)


def test_all_images_of_one_class_leave_the_other_centre_empty():
    means = class_means(np.ones((3, 4)), np.array([[1, 0], [1, 0], [1, 0]]))
    assert means.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]


@given(st.integers(0, 5), st.integers(1, 5), st.integers(0, 3), st.integers(0, 99))
@settings(deadline=None, derandomize=True, max_examples=40)
@pytest.mark.parametrize("form", ["official", "paper"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_centres_of_nothing_neither_attract_nor_repel(form, metric, filled, images, empty, seed):
    """Empty clusters and an absent class change no gradient, but for the official division by K."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.ones(images, 2)

    def gradients(class_means, cluster_means):
        features = torch.rand(images, 4, generator=torch.Generator().manual_seed(seed + 1))
        features.requires_grad_()
        own, near = distance_terms(
            features, labels, class_means=class_means, cluster_means=cluster_means,
            form=form, closest_fraction=0.5, metric=metric,
        )  # fmt: skip
        scale = len(cluster_means) if form == "official" else 1
        parts = [
            torch.autograd.grad(t, features, retain_graph=True)[0] * scale for t in (own, near)
        ]
        assert all(part.isfinite().all() for part in (own, near, *parts))
        return parts

    centre = torch.rand(1, 4, generator=generator)
    clusters = torch.rand(max(filled, 1), 4, generator=generator) if filled else torch.zeros(1, 4)
    present = gradients(torch.cat([centre, torch.zeros(1, 4)]), clusters)
    with_empty = gradients(
        torch.cat([centre, torch.zeros(1, 4)]), torch.cat([clusters, torch.zeros(empty, 4)])
    )
    for alone, joined in zip(present, with_empty, strict=True):
        torch.testing.assert_close(alone, joined)
    if not filled:
        assert not present[1].any()


@pytest.mark.parametrize("decided", [["keep", "reject"], ["reject", "reject"]])
def test_a_summary_of_a_pruned_set_has_a_rate_and_a_cost(decided):
    ranking, _ = ranked([[0.9, 0.1], [0.6, 0.2]], 0.5)
    table = pd.DataFrame({"image_id": ["i0", "i1"], "decision": decided, "decided_by": "me"})
    row = decision_summary(table, ranking, wanted=None).iloc[0]
    assert row["positive_rate"] == decided.count("reject") / 2 and row["annotation_cost"] == 2
