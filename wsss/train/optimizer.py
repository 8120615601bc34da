"""Optimisers and training modes of the networks."""

import torch

from wsss.models.classifier import Classifier, set_batch_norm_frozen, trainable_parameters


def classifier_optimizer(
    classifier: Classifier,
    *,
    frozen_stages: int,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """Return SGD over the stages that are trained and the head, whose learning rate is multiplied.

    Groups carry `multiplier` for `wsss.train.loop.fit`, which sets their learning rates.
    """
    parts = trainable_parameters(classifier, frozen_stages=frozen_stages)
    groups = [
        {"params": parts["backbone"], "multiplier": 1.0},
        {"params": parts["head"], "multiplier": head_multiplier},
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.SGD(groups, lr=0.0, momentum=momentum, weight_decay=weight_decay)


def set_training_mode(classifier: Classifier, *, batch_norm: str) -> None:
    """Put the network in training mode, its batch norm `frozen` on running statistics or not.

    Weights are laid out channels last, which is an eighth faster on CPUs and more on GPUs.
    """
    classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if batch_norm == "frozen":
        set_batch_norm_frozen(classifier)
    classifier.train()
