"""FickleNet: multi-label classification by windows with randomly chosen units (Lee et al. 2019)."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from wsss.models.classifier import Classifier
from wsss.models.ficklenet import FickleNetClassifier
from wsss.train.objectives.plain import classification
from wsss.train.objectives.step import Step


def losses(
    classifier: Classifier,
    step: Step,
    *,
    importance_sampling: Mapping[str, Any] | None,
    feature_similarity: Mapping[str, Any] | None,
) -> dict[str, Tensor]:
    """Return the classification loss under one choice per image, with HFPL's losses if asked for.

    Choices are drawn from the generator of the whole training, which a checkpoint holds.

    Args:
        classifier: A FickleNet classifier.
        step: The training images.
        importance_sampling: See wsss.train.additions, or None.
        feature_similarity: See wsss.train.additions, or None.
    """
    fickle, features = cast(FickleNetClassifier, classifier), step.stages[-1]
    choice = fickle.draw_choice(len(features), features, torch.default_generator)
    return classification(
        fickle.chosen_logits(features, choice),
        lambda: fickle.chosen_score_maps(features, choice),
        step,
        importance_sampling=importance_sampling,
        feature_similarity=feature_similarity,
    )
