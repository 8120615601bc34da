"""The distance loss L_d of W-OoD (w-ood sec. 3.2, eq. 1 and 2).

`features` are pooled penultimate features (B, D); the centres of the C classes and of the K
clusters of out-of-distribution (OoD) features are (C, D) and (K, D), zero where empty. Every number
of classes, clusters and images works: what the authors' code fixes to 20 and 16 is C and B.
"""

import torch
import torch.nn.functional as F

FORMS = ("official", "paper")
METRICS = ("euclidean", "cosine")


def distances(
    features: torch.Tensor,
    class_means: torch.Tensor,
    cluster_means: torch.Tensor,
    *,
    metric: str,
) -> torch.Tensor:
    """Return the distance of every image to every centre, (B, C+K), w-ood eq. 1.

    The distance to an empty class or cluster (a centre of zeros) is exactly zero. The gradient at
    distance zero is zero too: the authors' code gives NaN for an image that lies on its own class
    mean, as the only image of a class does at first. Half precision is cast up to float32.

    Args:
        features: float (B, D).
        class_means: (C, D).
        cluster_means: (K, D).
        metric: "euclidean" as in the paper; "cosine" scales features and centres to length one
            first, which is ours and makes distances (0..2) blind to the length of a feature.

    Raises:
        ValueError: if the channels differ or the metric is unknown.
    """
    check_choice("metric", metric, METRICS)
    shapes = [tuple(t.shape) for t in (features, class_means, cluster_means)]
    if any(len(shape) != 2 or shape[1] != shapes[0][-1] for shape in shapes):
        raise ValueError(
            f"features, class means and cluster means have shapes {shapes}: all are (rows, D) "
            "with one D, so make the centres anew with this classifier"
        )
    if features.dtype in (torch.float16, torch.bfloat16):
        features = features.float()
    centres = torch.cat([class_means, cluster_means]).to(features)
    present = centres.ne(0).any(dim=1)
    if metric == "cosine":
        features, centres = F.normalize(features, dim=1), F.normalize(centres, dim=1)
    # Without the product formula, which loses digits where distances are small.
    measured = torch.cdist(features, centres, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.where(present, measured, measured.new_zeros(()))


def distance_threshold(cluster_distances: torch.Tensor, *, closest_fraction: float) -> torch.Tensor:
    """Return the distance below which a cluster distance counts in the official code, a scalar.

    Of the N non-zero entries of the batch it is the smallest of the floor(N * (1 - closest
    fraction)) largest, so one threshold serves the whole batch. It carries no gradient, and is
    infinite where that number is zero. Nothing is copied to the host.

    Args:
        cluster_distances: (B, K), zero for empty clusters.
        closest_fraction: tau, 0..1 (0.2 in the paper, there written 20 %).
    """
    values = cluster_distances.detach().flatten().sort(descending=True).values
    count = (values != 0).sum()
    rank = torch.floor(count.double() * (1 - closest_fraction)).long()
    padded = torch.cat([values.new_full((1,), torch.inf), values])
    return padded.gather(0, rank.view(1))[0]


def distance_terms(
    features: torch.Tensor,
    image_labels: torch.Tensor,
    *,
    class_means: torch.Tensor,
    cluster_means: torch.Tensor,
    form: str,
    closest_fraction: float,
    metric: str,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two sums of w-ood eq. 2: distances to own classes, to the closest OoD clusters.

    L_d is the first minus the second.

    Form "paper" takes, for each image on its own, its closest round(tau * K') of the K' non-empty
    clusters (at least one), sums the distances and averages over images. Form "official" takes the
    clusters strictly below one threshold of the whole batch (`distance_threshold`) and divides both
    sums by B*K, so that its weight lambda means K times more than in the formula of the paper. The
    factor 20/K of the authors' code is C/K with the mean over B*C entries, which is this division.

    Args:
        features: float (B, D).
        image_labels: (B, C) multi-hot.
        class_means: (C, D).
        cluster_means: (K, D).
        form: "official" or "paper".
        closest_fraction: tau, the fraction of closest OoD distances that count, 0..1.
        metric: see `distances`.

    Raises:
        ValueError: if shapes do not fit or an option is unknown or out of range.
    """
    check_choice("form", form, FORMS)
    if not 0 <= closest_fraction <= 1:
        raise ValueError(f"closest_fraction {closest_fraction} is not in 0..1")
    num_classes = class_means.shape[0]
    if image_labels.shape != (features.shape[0], num_classes):
        raise ValueError(
            f"image labels of shape {tuple(image_labels.shape)} do not fit {features.shape[0]} "
            f"features and {num_classes} class means: make the centres for the same classes"
        )
    measured = distances(features, class_means, cluster_means, metric=metric)
    own = (measured[:, :num_classes] * image_labels.to(measured.dtype)).sum()
    to_clusters = measured[:, num_classes:]
    if form == "official":
        threshold = distance_threshold(to_clusters, closest_fraction=closest_fraction)
        near = torch.where(to_clusters < threshold, to_clusters, 0.0).sum()
        return own / to_clusters.numel(), near / to_clusters.numel()
    near = _closest(to_clusters, cluster_means.ne(0).any(dim=1), closest_fraction).sum()
    return own / len(features), near / len(features)


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse an option's value that is not known."""
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(known)}")


def _closest(
    to_clusters: torch.Tensor, present: torch.Tensor, closest_fraction: float
) -> torch.Tensor:
    """Return each image's closest cluster distances, (B, K), zero where one does not count."""
    far = to_clusters.new_full((), torch.inf)
    ordered = torch.where(present, to_clusters, far).sort(dim=1).values
    available = present.sum()
    count = torch.round(available.double() * closest_fraction).clamp_min(1)
    counts = torch.arange(len(present), device=present.device) < torch.minimum(count, available)
    return torch.where(counts, ordered, 0.0)
