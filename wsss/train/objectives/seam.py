"""SEAM: classification of an image and a smaller view, whose maps agree (Wang et al. 2020)."""

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor

from wsss.losses.seam import View, seam_terms, seam_total, second_view
from wsss.models.classifier import Classifier
from wsss.models.seam import SeamClassifier
from wsss.train.additions import added_similarity, mixed_classification
from wsss.train.objectives.step import Step


def losses(
    classifier: Classifier,
    step: Step,
    *,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
    second_scale: float,
    hardest_fraction: float,
    pooling: str,
    minimum_weight: float,
    equivariance_weight: float,
    refinement_weight: float,
) -> dict[str, Tensor]:
    """Return SEAM's loss; HFPL's losses see the scores of the first view, as in their code.

    Args:
        classifier: A SEAM classifier.
        step: The training images.
        importance_sampling: See wsss.train.additions, or None.
        feature_similarity: See wsss.train.additions, or None.
        second_scale: Of the smaller view, see `wsss.losses.seam.second_view`.
        hardest_fraction: See `wsss.losses.seam.seam_terms`.
        pooling: Likewise.
        minimum_weight: See `wsss.losses.seam.seam_total`.
        equivariance_weight: Likewise.
        refinement_weight: Likewise.

    Raises:
        ValueError: Nothing is left of the smaller view, or the pooling is unknown.
    """
    seam, labels = cast(SeamClassifier, classifier), step.image_labels
    smaller = second_view(step.x, scale=second_scale)
    first = View(*seam.maps_of_stages(step.x, step.stages), _size(step.x))
    second = View(*seam.seam_maps(smaller), _size(smaller))
    terms = seam_terms(first, second, labels, hardest_fraction=hardest_fraction, pooling=pooling)
    pooled = (terms["classification_1"] + terms["classification_2"]) / 2
    terms["classification_1"], sampled = mixed_classification(
        terms["classification_1"],
        first.scores,
        labels,
        background=None,
        options=importance_sampling,
    )
    similarity, similar = added_similarity(
        first.scores, labels, step.pixels, options=feature_similarity
    )
    total = seam_total(
        terms,
        minimum_weight=minimum_weight,
        equivariance_weight=equivariance_weight,
        refinement_weight=refinement_weight,
    )
    return {
        "loss": total + similarity,
        "classification": pooled.detach(),
        "minimum": (terms["minimum_1"] + terms["minimum_2"]).detach() / 2,
        "equivariance": terms["equivariance"].detach(),
        "refinement": (terms["refinement_1"] + terms["refinement_2"]).detach(),
        **sampled,
        **similar,
    }


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[2], x.shape[3]
