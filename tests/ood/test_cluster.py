"""Class means and clusters by hand, against slow loops, and their refusals."""

import numpy as np
import pytest

from wsss.ood import cluster
from wsss.ood.cluster import (
    centre_distances,
    class_means,
    cluster_means,
    clusters_by_predicted_class,
    kmeans,
)


def slow_kmeans(features, clusters, rounds):
    """Loops over items and means; the first K items start, empty means become zero."""
    means = [row.astype(np.float64) for row in features[:clusters]]
    labels = []
    for _ in range(rounds):
        labels = [
            int(np.argmin([np.linalg.norm(row.astype(np.float64) - m) for m in means]))
            for row in features
        ]
        for k in range(clusters):
            members = [
                row.astype(np.float64) for row, c in zip(features, labels, strict=True) if c == k
            ]
            means[k] = np.mean(members, axis=0) if members else np.zeros(features.shape[1])
    return np.array(labels), np.array(means)


def run(features, clusters, rounds=10, initialization="first", seed=0):
    return kmeans(
        features,
        clusters=clusters,
        iterations=rounds,
        initialization=initialization,
        random_seed=seed,
    )


def test_class_means_by_hand():
    """The second image has two classes, nobody has the third."""
    features = np.array([[1.0, 0.0], [3.0, 4.0]])
    labels = np.array([[1, 0, 0], [1, 1, 0]])
    means = class_means(features, labels)
    assert means.tolist() == [[2, 2], [3, 4], [0, 0]]
    assert means.dtype == np.float32


@pytest.mark.parametrize("chunk", [2, 1024])
def test_distances_to_the_own_centre_by_hand(chunk, monkeypatch):
    monkeypatch.setattr(cluster, "CHUNK", chunk)
    features = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]], np.float16)
    means = np.array([[0.0, 0.0], [6.0, 0.0]], np.float32)
    distances = centre_distances(features, np.array([0, 0, 1]), means)
    assert distances.tolist() == [0, 5, 8] and distances.dtype == np.float32
    assert centre_distances(features[:0], np.zeros(0, int), means).tolist() == []


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("rounds", [1, 2, 10])
def test_kmeans_agrees_with_slow_loops(dtype, rounds, monkeypatch):
    monkeypatch.setattr(cluster, "CHUNK", 7)
    features = np.random.default_rng(rounds).normal(size=(40, 5)).astype(dtype)
    labels, means = run(features, 6, rounds)
    slow_labels, slow_means = slow_kmeans(features, 6, rounds)
    np.testing.assert_array_equal(labels, slow_labels)
    np.testing.assert_allclose(means, slow_means, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 5, 1024])
def test_equal_items_go_to_the_first_cluster_and_empty_means_become_zero(chunk, monkeypatch):
    """A matrix product rounds equal columns differently, in ways that depend on its shape."""
    monkeypatch.setattr(cluster, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    features = np.repeat(10 + 3 * rng.normal(size=(1, 515)), 20, axis=0).astype(np.float32)
    for clusters in (3, 5, 7):
        labels, means = run(features, clusters)
        assert labels.tolist() == [0] * 20
        assert (means[1:] == 0).all()
        np.testing.assert_allclose(means[0], features[0], rtol=1e-6)


def test_an_emptied_cluster_waits_at_zero():
    """The twin start of the first item loses all to it, then catches what lies near zero."""
    features = np.array([[9.0], [9.0], [9.5], [0.5]])
    labels, means = run(features, 2)
    slow_labels, slow_means = slow_kmeans(features, 2, 10)
    assert labels.tolist() == slow_labels.tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(means, slow_means)


def test_spread_out_start_finds_separate_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 25)
    features = (100 * np.eye(4)[groups] + rng.normal(size=(100, 4))).astype(np.float16)
    labels, means = run(features, 4, initialization="kmeans++", seed=3)
    assert len({(g, c) for g, c in zip(groups, labels, strict=True)}) == 4
    again = run(features, 4, initialization="kmeans++", seed=3)
    np.testing.assert_array_equal(labels, again[0])
    np.testing.assert_array_equal(means, again[1])


def test_means_are_those_of_the_returned_labels():
    features = np.random.default_rng(4).normal(size=(60, 3)).astype(np.float32)
    for rounds in (1, 3):
        labels, means = run(features, 5, rounds)
        np.testing.assert_array_equal(means, cluster_means(features, labels, clusters=5))


def test_clusters_by_predicted_class():
    probs = np.array([[0.1, 0.7], [0.5, 0.5], [0.9, 0.2]])
    labels = clusters_by_predicted_class(probs)
    assert labels.tolist() == [1, 0, 0]
    assert cluster_means(np.eye(3), labels, clusters=3)[2].tolist() == [0, 0, 0]


def test_mistakes_are_refused():
    features = np.zeros((4, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="asked for 5 clusters of 4 images"):
        run(features, 5)
    with pytest.raises(ValueError, match="0 iterations"):
        run(features, 2, 0)
    with pytest.raises(ValueError, match="choose first or kmeans"):
        run(features, 2, initialization="last")
    with pytest.raises(ValueError, match="one row of each per image"):
        class_means(features, np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"not within 0\.\.1"):
        cluster_means(features, np.array([0, 1, 2, 0]), clusters=2)
    with pytest.raises(ValueError, match="3,"):
        cluster_means(features, np.zeros(3, int), clusters=2)
    with pytest.raises(ValueError, match="expected"):
        clusters_by_predicted_class(np.zeros(3))
    with pytest.raises(ValueError, match="NaN"):
        clusters_by_predicted_class(np.full((1, 2), np.nan))
    features[2, 1] = np.inf
    with pytest.raises(ValueError, match="image number 2 is not finite"):
        run(features, 2)
    with pytest.raises(ValueError, match="expected"):
        run(np.zeros(5), 2)
