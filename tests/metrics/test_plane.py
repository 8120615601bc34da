"""t-SNE planes: what is near stays near, and the same seed gives the same plane."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from wsss.metrics.plane import tsne_plane

POINTS = np.random.default_rng(0).normal(size=(24, 5)) + 20 * np.repeat([0, 1], 12)[:, None]


def test_clusters_stay_apart():
    places = tsne_plane(POINTS, perplexity=5, random_seed=0)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert places.shape == (24, 2)
    assert np.array_equal(distances.argmin(1) < 12, np.arange(24) < 12)


def test_neither_a_second_time_nor_more_threads_change_a_place():
    first = tsne_plane(POINTS, perplexity=5, random_seed=3)
    with threadpool_limits(2):
        assert np.array_equal(tsne_plane(POINTS, perplexity=5, random_seed=3), first)


def test_too_few_points_are_refused():
    with pytest.raises(
        ValueError, match="perplexity is 24, but t-SNE has only 24 points: show more"
    ):
        tsne_plane(POINTS, perplexity=24, random_seed=0)
