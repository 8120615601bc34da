"""The classification loss through saturating activations (dissertation 3.4.4, Table 3.9 a)."""

import torch
import torch.nn.functional as F
from torch import Tensor

ACTIVATIONS = ("sigmoid", "tanh", "softsign")


def saturating_loss(logits: Tensor, image_labels: Tensor, *, activation: str) -> Tensor:
    """Return the binary cross-entropy of activated logits, summed over classes and B images.

    It is L_BCE of dissertation 3.4.3, which sums over present and absent classes, with other
    activations in the sigmoid's place; the authors' classifiers learn from its mean over classes,
    see `classification.soft_margin`.

    Args:
        logits: float (B, C), such as pooled scores.
        image_labels: (B, C), multi-hot.
        activation: "sigmoid" itself; "tanh", y -> (1 + tanh y) / 2; or "softsign",
            y -> (1 + y / (1 + |y|)) / 2. All are 1/2 at 0, and of -y what is missing to 1 of y.

    Raises:
        ValueError: The shapes differ, or the activation is unknown.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"unknown activation {activation!r}: choose one of {', '.join(ACTIVATIONS)}"
        )
    if logits.ndim != 2 or logits.shape != image_labels.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} and image labels of shape "
            f"{tuple(image_labels.shape)} differ: both are (images, foreground classes)"
        )
    towards_label = torch.where(image_labels > 0, logits, -logits)
    if activation == "softsign":
        return -_log_softsign(towards_label).sum()
    # (1 + tanh y) / 2 is sigmoid(2 y).
    return -F.logsigmoid(2 * towards_label if activation == "tanh" else towards_label).sum()


def _log_softsign(scores: Tensor) -> Tensor:
    """Return log((1 + y / (1 + |y|)) / 2) of every score y, exact at both ends."""
    # What is missing to 0 or 1. Not |y|, whose gradient at 0 is 0.
    missing = 0.5 / (1 + torch.where(scores >= 0, scores, -scores))
    return torch.where(scores >= 0, torch.log1p(-missing), missing.log())
