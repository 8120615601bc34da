"""Losses of W-OoD: training with out-of-distribution (OoD) images (w-ood sec. 3.2).

`image_labels` and `logits` are (B, C), `features` are pooled penultimate features (B, D), and the
centres of the C classes and of the K OoD clusters are (C, D) and (K, D), zero where empty. Every
number of classes, clusters and images works: what the authors' code fixes to 20 and 16 is C and B.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from wsss.losses.classification import classification_loss, soft_margin

FORMS = ("official", "paper")
METRICS = ("euclidean", "cosine")
PARTS = ("both", "in", "ood")


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
    _check_choice("metric", metric, METRICS)
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
    _check_choice("form", form, FORMS)
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


def distance_loss(
    features: torch.Tensor,
    image_labels: torch.Tensor,
    *,
    class_means: torch.Tensor,
    cluster_means: torch.Tensor,
    form: str,
    closest_fraction: float,
    metric: str,
) -> torch.Tensor:
    """Return L_d of w-ood eq. 2, a scalar: the first of `distance_terms` minus the second.

    Raises:
        ValueError: if shapes do not fit or an option is unknown or out of range.
    """
    own, near = distance_terms(
        features,
        image_labels,
        class_means=class_means,
        cluster_means=cluster_means,
        form=form,
        closest_fraction=closest_fraction,
        metric=metric,
    )
    return own - near


def perturb_ood(
    model_fn: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, *, step: float
) -> torch.Tensor:
    """Return OoD images moved one step up their own highest class score, without a gradient.

    Only the authors' code does this (step 0.07), the paper does not (step 0). The gradient is
    divided by its largest absolute value over the whole batch, and the result is clamped to the
    batch's own range, so an image depends on the others of its batch.

    Args:
        model_fn: normalized images -> logits (B, C); the bare network, not its data-parallel
            wrapper, whose hooks would fire twice. Parameter gradients are left alone.
        images: float (B, ...), normalized.
        step: length of the step in normalized units, >= 0; 0 returns the images.
    """
    if step == 0:
        return images
    with torch.enable_grad():
        climbing = images.detach().requires_grad_()
        highest = model_fn(climbing).max(dim=1).values.sum()
        (gradient,) = torch.autograd.grad(highest, climbing)
    # A flat score has gradient zero everywhere: the images then stay, instead of becoming NaN.
    largest = gradient.abs().max().clamp_min(torch.finfo(gradient.dtype).tiny)
    moved = images.detach() + step * (gradient / largest)
    return moved.clamp(images.detach().min(), images.detach().max())


def counted_items(logits: torch.Tensor, *, excluded_class: int | None) -> torch.Tensor:
    """Return which OoD images count in the loss, bool (B,).

    The authors' code leaves out the images whose highest (perturbed) score is class 4, zero-based,
    the bottle of PASCAL VOC; the paper leaves out none (None).

    Raises:
        ValueError: if `excluded_class` is not a class.
    """
    if excluded_class is None:
        return torch.ones(len(logits), dtype=torch.bool, device=logits.device)
    if not 0 <= excluded_class < logits.shape[1]:
        raise ValueError(
            f"excluded class {excluded_class} is not one of the {logits.shape[1]} classes: "
            "give a class id from 0, or none"
        )
    return logits.argmax(dim=1) != excluded_class


def ood_loss(
    logits: torch.Tensor,
    *,
    excluded_class: int | None,
    in_distribution_batch: int,
    form: str,
) -> torch.Tensor:
    """Return the cross-entropy of OoD images against no class at all, a scalar (w-ood eq. 3).

    Form "paper" is the mean over the OoD images that count; form "official" divides their sum by
    the size of the in-distribution batch instead. Without images that count it is zero.

    Args:
        logits: float (B', C) of the OoD batch.
        excluded_class: see `counted_items`.
        in_distribution_batch: number B of training images in the step.
        form: "official" or "paper".

    Raises:
        ValueError: if the form or the class is unknown or the batch size is below 1.
    """
    _check_choice("form", form, FORMS)
    if in_distribution_batch < 1:
        raise ValueError(
            f"in-distribution batch of {in_distribution_batch} images: give at least 1"
        )
    counts = counted_items(logits, excluded_class=excluded_class)
    total = torch.where(counts, soft_margin(logits, torch.zeros_like(logits)), 0.0).sum()
    if form == "official":
        return total / in_distribution_batch
    return total / counts.sum().clamp_min(1)


def wood_loss(
    logits: torch.Tensor,
    image_labels: torch.Tensor,
    features: torch.Tensor,
    *,
    ood_logits: torch.Tensor,
    class_means: torch.Tensor,
    cluster_means: torch.Tensor,
    lambda_: float,
    ood_coefficient: float,
    closest_fraction: float,
    metric: str,
    distance_form: str,
    distance_parts: str,
    ood_form: str,
    excluded_class: int | None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the loss of one W-OoD step, w-ood eq. 4, and its terms before their weights.

    Total = classification + `lambda_` * distance + `ood_coefficient` * OoD loss. Eq. 3 and 4 of the
    paper have an OoD coefficient of 1, the authors' code 0.25. Both weights at 0 and single
    `distance_parts` give the ablations of w-ood Table 5.

    Args:
        logits: (B, C) of the training images.
        image_labels: (B, C) multi-hot.
        features: (B, D) pooled features of the training images, with gradient.
        ood_logits: (B', C) of the OoD images, after `perturb_ood` where that is used.
        class_means: (C, D).
        cluster_means: (K, D).
        lambda_: weight of the distance loss (0.007).
        ood_coefficient: weight of the OoD loss.
        closest_fraction: tau, see `distance_terms`.
        metric: see `distances`.
        distance_form: form of `distance_terms`.
        distance_parts: "both", or only the term of the classes ("in") or of the clusters ("ood").
        ood_form: form of `ood_loss`.
        excluded_class: see `counted_items`.

    Returns:
        The total with gradient, and the detached scalars classification, distance, distance_in,
        distance_ood and ood.

    Raises:
        ValueError: if shapes do not fit or an option is unknown or out of range.
    """
    _check_choice("distance_parts", distance_parts, PARTS)
    classification = classification_loss(logits, image_labels)
    own, near = distance_terms(
        features,
        image_labels,
        class_means=class_means,
        cluster_means=cluster_means,
        form=distance_form,
        closest_fraction=closest_fraction,
        metric=metric,
    )
    distance = {"both": own - near, "in": own, "ood": -near}[distance_parts]
    ood = ood_loss(
        ood_logits,
        excluded_class=excluded_class,
        in_distribution_batch=len(logits),
        form=ood_form,
    )
    terms = {
        "classification": classification,
        "distance": distance,
        "distance_in": own,
        "distance_ood": near,
        "ood": ood,
    }
    total = classification + lambda_ * distance + ood_coefficient * ood
    return total, {name: term.detach() for name, term in terms.items()}


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


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(known)}")
