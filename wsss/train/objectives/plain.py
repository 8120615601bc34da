"""Multi-label classification of mean score maps (dissertation sec. 2.3.1)."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss.losses.classification import classification_loss
from wsss.models.classifier import Classifier
from wsss.train.additions import added_similarity, mixed_classification
from wsss.train.objectives.step import Step


def losses(
    classifier: Classifier,
    step: Step,
    *,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
) -> dict[str, Tensor]:
    """Return the classification loss, with HFPL's losses if asked for.

    Args:
        classifier: Any.
        step: The training images.
        importance_sampling: See wsss.train.additions, or None.
        feature_similarity: See wsss.train.additions, or None.
    """
    features = step.stages[-1]
    logits = classifier.head(features.mean((2, 3))[:, :, None, None])[:, :, 0, 0]
    pooled = classification_loss(logits, step.image_labels)
    if importance_sampling is None and feature_similarity is None:
        return {"loss": pooled, "classification": pooled.detach()}
    score_maps = classifier.head(features)
    mixed, sampled = mixed_classification(
        pooled, score_maps, step.image_labels, background=None, options=importance_sampling
    )
    similarity, similar = added_similarity(
        score_maps, step.image_labels, step.pixels, options=feature_similarity
    )
    return {
        "loss": mixed + similarity,
        "classification": pooled.detach(),
        **sampled,
        **similar,
    }
