"""Multi-label classification of mean score maps (dissertation sec. 2.3.1)."""

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from torch import Tensor

from wsss.losses.classification import classification_loss
from wsss.models.classifier import Classifier
from wsss.train.additions import Added, added_similarity, mixed_classification
from wsss.train.objectives.step import Step


def losses(
    classifier: Classifier,
    step: Step,
    **added: Unpack[Added],
) -> dict[str, Tensor]:
    """Return the classification loss, with HFPL's losses if asked for.

    Args:
        classifier: Any.
        step: The training images.
        **added: See `Added`.
    """
    features = step.stages[-1]
    return classification(
        classifier.logits_of(features), lambda: classifier.head(features), step, **added
    )


def classification(
    logits: Tensor,
    score_maps: Callable[[], Tensor],
    step: Step,
    *,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
) -> dict[str, Tensor]:
    """Return the classification loss of logits, and HFPL's losses on the maps that they are of.

    Args:
        logits: (B, C), the means of the score maps.
        score_maps: Gives the score maps (B, C, h, w), where a loss needs them.
        step: The training images.
        importance_sampling: See wsss.train.additions, or None.
        feature_similarity: See wsss.train.additions, or None.
    """
    pooled = classification_loss(logits, step.image_labels)
    if importance_sampling is None and feature_similarity is None:
        return {"loss": pooled, "classification": pooled.detach()}
    maps = score_maps()
    mixed, sampled = mixed_classification(
        pooled, maps, step.image_labels, background=None, options=importance_sampling
    )
    similarity, similar = added_similarity(
        maps, step.image_labels, step.pixels, options=feature_similarity
    )
    return {
        "loss": mixed + similarity,
        "classification": pooled.detach(),
        **sampled,
        **similar,
    }
