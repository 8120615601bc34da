"""Points of many dimensions in a plane (t-SNE)."""

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits


def tsne_plane(points: np.ndarray, *, perplexity: float, random_seed: int) -> np.ndarray:
    """Return the places (N, 2) of points in a t-SNE plane, from a start by principal components.

    Args:
        points: (N, D).
        perplexity: About how many neighbours a point has; below the number of points.
        random_seed: Of t-SNE.

    Raises:
        ValueError: The points are too few.
    """
    if perplexity >= len(points):
        raise ValueError(
            f"perplexity is {perplexity:g}, but t-SNE has only {len(points)} points: show more "
            "images of each class, or lower it"
        )
    # Sums in another order, on more threads, would give another picture.
    with threadpool_limits(1):
        embedding = TSNE(perplexity=perplexity, init="pca", random_state=random_seed, n_jobs=1)
        places: np.ndarray = embedding.fit_transform(points)
    return places
