"""Losses of the segmentation network on its outputs at several scales."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def multi_scale_losses(
    outputs: Sequence[Tensor], labels: Tensor, *, loss: str, ignore_index: int
) -> Tensor:
    """Return the loss of each output against the labels shrunk to its size.

    DeepLab-v2 minimises their sum (divided by the number of accumulated batches).

    Args:
        outputs: logits (B,K,h,w), each of its own size, on any float type.
        labels: integers (B,H,W), 0 to K - 1 or ignore_index.
        loss: "cross_entropy", or "balanced_cross_entropy" as the authors of AdvCAM, RIB and W-OoD
            trained (answer to AdvCAM issue 9; the papers do not say so).
        ignore_index: label that is left out.

    Returns:
        (n,), one loss per output.

    Raises:
        KeyError: the loss is unknown.
        ValueError: labels and logits differ in the number of images.
    """
    losses = {"cross_entropy": cross_entropy, "balanced_cross_entropy": balanced_cross_entropy}
    if loss not in losses:
        raise KeyError(f"unknown loss {loss!r}; known: {', '.join(losses)}")
    if any(len(logits) != len(labels) for logits in outputs):
        raise ValueError(
            f"the outputs are of {[len(logits) for logits in outputs]} images and the labels of "
            f"{len(labels)}; give one label map per image"
        )
    return torch.stack(
        [
            losses[loss](
                logits, shrink_labels(labels, logits.shape[-2:]), ignore_index=ignore_index
            )
            for logits in outputs
        ]
    )


def cross_entropy(logits: Tensor, labels: Tensor, *, ignore_index: int) -> Tensor:
    """Return the mean cross entropy over all labelled pixels of the batch, 0 without any.

    The official code gives nan for a batch without labelled pixels.

    Args:
        logits: (B,K,h,w).
        labels: int64 (B,h,w), 0 to K - 1 or ignore_index.
        ignore_index: label that is left out.
    """
    total = F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="sum")
    return total / (labels != ignore_index).sum().clamp(min=1)


def balanced_cross_entropy(logits: Tensor, labels: Tensor, *, ignore_index: int) -> Tensor:
    """Return the balanced seeding loss (DSRG; dissertation eq. 2.3), a mean over the images.

    Per image it is the mean cross entropy over its foreground pixels plus that over its background
    pixels; a side without pixels counts as 0.

    Args:
        logits: (B,K,h,w).
        labels: int64 (B,h,w), 0 background, 1 to K - 1 or ignore_index.
        ignore_index: label that is left out.
    """
    pixel_losses = F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="none")
    background = labels == 0
    foreground = ~background & (labels != ignore_index)
    sides = [
        (pixel_losses * side).sum((1, 2)) / side.sum((1, 2)).clamp(min=1)
        for side in (background, foreground)
    ]
    return (sides[0] + sides[1]).mean()


def shrink_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """Return labels (B,H,W) resized to `size` (h,w) by the nearest pixel centre, as int64.

    Row i takes row floor((i + 0.5) H / h), as Pillow does; torch's "nearest" takes floor(i H / h).
    kazuto1011/deeplab-pytorch swaps height and width here, which only its square crops forgive.
    """
    rows, columns = (
        _nearest(length, target, labels.device)
        for length, target in zip(labels.shape[1:], size, strict=True)
    )
    return labels[:, rows[:, None], columns].long()


def _nearest(length: int, target: int, device: torch.device) -> Tensor:
    # Pillow adds up its float64 step, and what that does to exact ties belongs to the result.
    step = length / target
    positions = np.cumsum([0.5 * step] + [step] * (target - 1))
    return torch.from_numpy(positions.astype(np.int64)).to(device)
