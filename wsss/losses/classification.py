"""Multi-label classification loss, per image and over a batch."""

import torch
import torch.nn.functional as F


def soft_margin(logits: torch.Tensor, image_labels: torch.Tensor) -> torch.Tensor:
    """Return the binary cross-entropy of each image, averaged over classes, (B,).

    This is the multi-label soft margin loss of the official code bases (irn, AdvCAM, RIB, W-OoD)
    without its mean over the batch, and W-OoD eq. 3 without its sum over images.

    Args:
        logits: float (B, C), before the sigmoid.
        image_labels: (B, C) in 0..1, usually multi-hot.

    Raises:
        ValueError: if the shapes differ.
    """
    if logits.ndim != 2 or logits.shape != image_labels.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} and image labels of shape "
            f"{tuple(image_labels.shape)} differ: both are (images, foreground classes)"
        )
    labels = image_labels.to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=1)


def classification_loss(logits: torch.Tensor, image_labels: torch.Tensor) -> torch.Tensor:
    """Return the mean of `soft_margin` over the batch, a scalar (dissertation sec. 2.3.1).

    Raises:
        ValueError: if the shapes differ.
    """
    return soft_margin(logits, image_labels).mean()
