"""Optimisers and training modes of the networks."""

import torch

from wsss.models.classifier import Classifier, set_batch_norm_frozen, trainable_parameters

OPTIMIZERS = ("sgd", "adam")
ADAM_BETA_2 = 0.999


def classifier_optimizer(
    classifier: Classifier,
    *,
    frozen_stages: int,
    head_multiplier: float,
    optimizer: str,
    momentum: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """Return an optimiser of the trained stages and the head, whose learning rate is multiplied.

    Groups carry `multiplier` for `wsss.train.loop.fit`, which sets their learning rates.

    Args:
        classifier: Its parameters are trained, or frozen.
        frozen_stages: How many of the five stages are not trained.
        head_multiplier: The head's factor on the learning rate.
        optimizer: `sgd` or `adam`.
        momentum: Of SGD; of Adam, its beta 1, beside a beta 2 of 0.999.
        weight_decay: Of all trained weights.

    Raises:
        ValueError: The optimiser is unknown.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {optimizer!r}: choose one of {', '.join(OPTIMIZERS)}")
    parts = trainable_parameters(classifier, frozen_stages=frozen_stages)
    groups = [
        {"params": parts["backbone"], "multiplier": 1.0},
        {"params": parts["head"], "multiplier": head_multiplier},
    ]
    groups = [group for group in groups if group["params"]]
    if optimizer == "adam":
        return torch.optim.Adam(
            groups, lr=0.0, betas=(momentum, ADAM_BETA_2), weight_decay=weight_decay
        )
    return torch.optim.SGD(groups, lr=0.0, momentum=momentum, weight_decay=weight_decay)


def set_training_mode(classifier: Classifier, *, batch_norm: str) -> None:
    """Put the network in training mode, its batch norm `frozen` on running statistics or not.

    Weights are laid out channels last, which is an eighth faster on CPUs and more on GPUs.
    """
    classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if batch_norm == "frozen":
        set_batch_norm_frozen(classifier)
    classifier.train()
