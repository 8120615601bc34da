"""Centres of feature clusters: classes of the training set, groups of OoD images."""

import logging

import numpy as np

log = logging.getLogger(__name__)

CHUNK = 1024
"""Rows brought to float64 at a time, so that features may stay in half precision."""


def class_means(features: np.ndarray, image_labels: np.ndarray) -> np.ndarray:
    """Return the mean feature of every class, the centres P_in of W-OoD sec. 3.2.

    An image counts for each of its classes. Unlike in the authors' code no class has to occur.

    Args:
        features: float (N, D), pooled penultimate features of the training images.
        image_labels: (N, C) multi-hot.

    Returns:
        float32 (C, D); zero where no image has the class.

    Raises:
        ValueError: if the numbers of rows differ or a feature is not finite.
    """
    if image_labels.ndim != 2 or len(image_labels) != len(features):
        raise ValueError(
            f"features of shape {features.shape} and image labels of shape {image_labels.shape} "
            "differ: give one row of each per image"
        )
    _check_features(features)
    return _weighted_means(features, image_labels)


def cluster_means(features: np.ndarray, labels: np.ndarray, *, clusters: int) -> np.ndarray:
    """Return the mean feature of every cluster, p_k of W-OoD sec. 3.2.

    Args:
        features: float (N, D).
        labels: int (N,), cluster of each row, 0..clusters-1.
        clusters: number of clusters.

    Returns:
        float32 (clusters, D); zero where a cluster is empty.

    Raises:
        ValueError: if the shapes differ or a label is out of range.
    """
    if labels.shape != features.shape[:1]:
        raise ValueError(f"{labels.shape} labels for features of shape {features.shape}")
    if labels.size and not 0 <= labels.min() <= labels.max() < clusters:
        raise ValueError(
            f"cluster labels reach from {labels.min()} to {labels.max()}, not within "
            f"0..{clusters - 1}"
        )
    _check_features(features)
    return _weighted_means(features, _one_hot(labels, clusters))


def kmeans(
    features: np.ndarray, *, clusters: int, iterations: int, initialization: str, random_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return K-means clusters of OoD features, the centres P_ood of W-OoD sec. 3.2.

    Each round assigns every row to its nearest mean (of equal ones the first) and takes the means
    anew; the mean of an empty cluster becomes zero and stays in the run, as in the authors' code.
    The rounds end early once no assignment changes, which does not change the result.

    Args:
        features: float (N, D), N >= clusters.
        clusters: number of clusters K (50 in the paper).
        iterations: largest number of rounds (10 in the authors' code).
        initialization: "first" starts from the first K rows, as the authors' code does;
            "kmeans++" draws spread-out rows (scikit-learn).
        random_seed: of the draw; "first" does not use it.

    Returns:
        Labels, int64 (N,), of the last assignment, and means, float32 (K, D), of these labels.

    Raises:
        ValueError: if there are fewer rows than clusters, a feature is not finite, or an option
            is out of range.
    """
    if not 1 <= clusters <= len(features):
        raise ValueError(
            f"asked for {clusters} clusters of {len(features)} images: "
            "set a number from 1 to that of the images, or offer more images"
        )
    if iterations < 1:
        raise ValueError(f"K-means with {iterations} iterations: set at least 1")
    _check_features(features)
    means = _start(features, clusters, initialization, random_seed)
    labels = np.full(len(features), -1)
    for _ in range(iterations):
        previous, labels = labels, _nearest(features, means)
        if np.array_equal(previous, labels):
            break
        means = _weighted_means(features, _one_hot(labels, clusters))
    return labels, means


def clusters_by_predicted_class(probs: np.ndarray) -> np.ndarray:
    """Return the highest-scoring class of every image as its cluster, int64 (N,).

    The simpler way to group OoD images in W-OoD sec. 3.2 and Table 4. `probs` is (N, C), higher
    for likelier; of equal scores the first class wins.

    Raises:
        ValueError: if `probs` has another shape or holds NaN.
    """
    if probs.ndim != 2 or probs.shape[1] == 0:
        raise ValueError(f"probabilities have shape {probs.shape}, expected (images, classes)")
    if np.isnan(probs).any():
        raise ValueError("a predicted probability is NaN: check the classifier's weights")
    return probs.argmax(axis=1).astype(np.int64)


def group_ood(
    features: np.ndarray,
    probs: np.ndarray,
    *,
    clustering: str,
    clusters: int,
    iterations: int,
    initialization: str,
    random_seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (cluster of each OoD image int64 (N,), centres P_ood float32 (K, D)).

    `clustering` is "kmeans" or "predicted_class" (W-OoD Table 4); the latter has one cluster per
    class and reads none of the other options. K-means takes at most as many clusters as images.
    Centres of empty clusters are zero and have no part in the distance loss; they are logged.

    Raises:
        ValueError: if there is no image or an option is unknown or out of range.
    """
    if clustering == "predicted_class":
        labels = clusters_by_predicted_class(probs)
        means = cluster_means(features, labels, clusters=probs.shape[1])
    elif clustering == "kmeans":
        labels, means = kmeans(
            features,
            clusters=min(clusters, len(features)),
            iterations=iterations,
            initialization=initialization,
            random_seed=random_seed,
        )
    else:
        raise ValueError(f"unknown clustering {clustering!r}: choose kmeans or predicted_class")
    _report(labels, means, asked=clusters if clustering == "kmeans" else len(means))
    return labels, means


def centre_distances(features: np.ndarray, labels: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of each row to the centre of its cluster (W-OoD eq. 1).

    Args:
        features: float (N, D).
        labels: int (N,), cluster of each row.
        means: float (K, D), centres of the clusters.

    Returns:
        float32 (N,).
    """
    parts = [
        np.linalg.norm(
            features[begin : begin + CHUNK].astype(np.float64)
            - means[labels[begin : begin + CHUNK]],
            axis=1,
        )
        for begin in range(0, len(features), CHUNK)
    ]
    return np.concatenate([np.zeros(0), *parts]).astype(np.float32)


def _report(labels: np.ndarray, means: np.ndarray, *, asked: int) -> None:
    if len(means) < asked:
        log.warning("%d clusters instead of %d: there are no more images", len(means), asked)
    if empty := len(means) - len(np.unique(labels)):
        log.warning("%d of %d clusters of OoD features are empty", empty, len(means))


def _start(
    features: np.ndarray, clusters: int, initialization: str, random_seed: int
) -> np.ndarray:
    if initialization == "first":
        return features[:clusters].astype(np.float32)
    if initialization == "kmeans++":
        # Here and not above: the import costs 3 s, which the other ways need not pay.
        from sklearn.cluster import kmeans_plusplus

        rows = features.astype(np.float32, copy=False)
        return kmeans_plusplus(rows, clusters, random_state=random_seed)[0].astype(np.float32)
    raise ValueError(f"unknown initialization {initialization!r}: choose first or kmeans++")


def _nearest(features: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the index of the nearest mean of each row, the first of equally near ones."""
    means = means.astype(np.float64)
    squares = (means**2).sum(axis=1)
    labels = np.empty(len(features), dtype=np.int64)
    for begin in range(0, len(features), CHUNK):
        rows = features[begin : begin + CHUNK].astype(np.float64)
        own = (rows**2).sum(axis=1, keepdims=True)
        distances = own + squares - 2 * rows @ means.T
        # Equal means may differ by rounding here; the slack keeps "the first" meaningful.
        slack = 1e-10 * (own + squares.max())
        near = distances <= distances.min(axis=1, keepdims=True) + slack
        labels[begin : begin + CHUNK] = near.argmax(axis=1)
    return labels


def _weighted_means(features: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """Return the mean of the rows in each column of `membership` (N, K), zero where empty."""
    total = np.zeros((membership.shape[1], features.shape[1]))
    for begin in range(0, len(features), CHUNK):
        part = slice(begin, begin + CHUNK)
        total += membership[part].T.astype(np.float64) @ features[part].astype(np.float64)
    counts = membership.sum(axis=0, dtype=np.float64)
    return (total / np.maximum(counts, 1)[:, None]).astype(np.float32)


def _one_hot(labels: np.ndarray, clusters: int) -> np.ndarray:
    return labels[:, None] == np.arange(clusters)


def _check_features(features: np.ndarray) -> None:
    if features.ndim != 2:
        raise ValueError(f"features have shape {features.shape}, expected (images, channels)")
    for begin in range(0, len(features), CHUNK):
        bad = np.flatnonzero(~np.isfinite(features[begin : begin + CHUNK]).all(axis=1))
        if bad.size:
            raise ValueError(
                f"the feature of image number {begin + int(bad[0])} is not finite: "
                "check the classifier's weights"
            )
