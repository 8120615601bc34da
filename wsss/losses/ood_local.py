"""A loss on the score maps of out-of-distribution images: no position may show a class."""

import torch
import torch.nn.functional as F


def local_ood_loss(score_maps: torch.Tensor) -> torch.Tensor:
    """Return the binary cross-entropy against no class, averaged over images, classes, positions.

    This is ours, neither the paper's nor the authors' code's. W-OoD's own loss sees the mean score
    of an OoD image, which can be low while single positions, balanced by others, stay high; the
    activation map is made of these positions.

    Args:
        score_maps: float (B', C, h, w), raw class scores of OoD images.

    Raises:
        ValueError: if the score maps have another number of dimensions.
    """
    if score_maps.ndim != 4:
        raise ValueError(
            f"score maps of shape {tuple(score_maps.shape)} are not (images, classes, h, w)"
        )
    return F.softplus(score_maps).mean()
