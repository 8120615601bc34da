"""EPS: classification, and a saliency map that the maps of classes and background explain."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch import Tensor

from wsss.losses.eps import eps_terms
from wsss.models.classifier import Classifier
from wsss.models.eps import EpsClassifier
from wsss.train.additions import added_similarity, mixed_classification
from wsss.train.objectives.step import Step


def losses(
    classifier: Classifier,
    step: Step,
    *,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
    foreground_weight: float,
    selection: str,
    overlap: str,
    overlap_threshold: float,
    background_classes: Sequence[int],
) -> dict[str, Tensor]:
    """Return EPS's loss, the sum of classification and saliency loss (eps sec. 3.3).

    Args:
        classifier: An EPS classifier.
        step: The training images, with saliency.
        importance_sampling: See wsss.train.additions, or None.
        feature_similarity: See wsss.train.additions, or None.
        foreground_weight: lambda of `wsss.losses.eps.saliency_estimate`.
        selection: See `wsss.losses.eps.selected_classes`.
        overlap: Likewise.
        overlap_threshold: Likewise.
        background_classes: Likewise.

    Raises:
        ValueError: The images came without saliency, or a name is unknown.
    """
    if step.saliency is None:
        raise ValueError("EPS learns from saliency maps: name some as the classifier's saliency")
    score_maps = cast(EpsClassifier, classifier).maps_of_features(step.stages[-1])
    terms = eps_terms(
        score_maps,
        step.saliency,
        step.image_labels,
        lambda_=foreground_weight,
        selection=selection,
        overlap=overlap,
        overlap_threshold=overlap_threshold,
        background_classes=background_classes,
    )
    mixed, sampled = mixed_classification(
        terms["classification"],
        score_maps[:, :-1],
        step.image_labels,
        background=score_maps[:, -1:],
        options=importance_sampling,
    )
    similarity, similar = added_similarity(
        score_maps[:, :-1], step.image_labels, step.pixels, options=feature_similarity
    )
    return {
        "loss": mixed + terms["saliency"] + similarity,
        "classification": terms["classification"].detach(),
        "saliency": terms["saliency"].detach(),
        **sampled,
        **similar,
    }
