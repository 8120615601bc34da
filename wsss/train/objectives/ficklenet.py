"""FickleNet: multi-label classification by windows with randomly chosen units (Lee et al. 2019)."""

from typing import Unpack, cast

import torch
from torch import Tensor

from wsss.models.classifier import Classifier
from wsss.models.ficklenet import FickleNetClassifier
from wsss.train.additions import Added
from wsss.train.objectives.plain import classification
from wsss.train.objectives.step import Step


def losses(
    classifier: Classifier,
    step: Step,
    **added: Unpack[Added],
) -> dict[str, Tensor]:
    """Return the classification loss under one choice per image, with HFPL's losses if asked for.

    Choices are drawn from the generator of the whole training, which a checkpoint holds.

    Args:
        classifier: A FickleNet classifier.
        step: The training images.
        **added: See `Added`.
    """
    fickle, features = cast(FickleNetClassifier, classifier), step.stages[-1]
    choice = fickle.draw_choice(len(features), features, torch.default_generator)
    return classification(
        fickle.chosen_logits(features, choice),
        lambda: fickle.chosen_score_maps(features, choice),
        step,
        **added,
    )
