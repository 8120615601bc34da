"""Predictions that the feature similarity loss compares (hfpl sec. 4.3 and its ablation)."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

GATES = ("max_official", "max_paper", "sigmoid", "scores", "softmax")
BACKGROUNDS = ("complement", "none")
# Keeps the division finite, as in the official code.
EPSILON = 1e-5


def gate_predictions(
    score_maps: Tensor, image_labels: Tensor, *, gate: str, background: str
) -> Tensor:
    """Return the maps whose differences the loss weighs, (B, C, h, w) or (B, K, h, w).

    The classes that an image does not have are zero, and so without gradient, but in "softmax".

    - "max_official": the least score and 1e-5 are taken off the rectified scores, which are then
      divided by what the same leaves of the largest (+ 1e-5); the gradient goes through both.
    - "max_paper": rectified scores over their largest (eq. 4), which is a constant for the
      gradient, as in eq. 22.
    - "sigmoid": the binomial posterior (eq. 14); "scores": the raw scores, with which training
      diverges (eq. 19).
    - "softmax": the multinomial posterior (eq. 5), of all classes with background.

    The authors' code has "max_official" and the "complement" as background; the paper's ablation
    compares max with sigmoid, and its text speaks of the classes present only.

    Args:
        score_maps: Raw scores (B, C, h, w); for "softmax" (B, K, h, w), background first.
        image_labels: (B, C) multi-hot.
        gate: One of the above.
        background: "complement": a channel of 1 minus the largest foreground comes first; "none".

    Raises:
        ValueError: An option is unknown, they do not go together, or shapes do not fit.
    """
    for name, value, known in (("gate", gate, GATES), ("background", background, BACKGROUNDS)):
        if value not in known:
            raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(known)}")
    if background == "complement" and gate in ("scores", "softmax"):
        raise ValueError(f"gate {gate!r} has no complement as background: choose none")
    _check_shapes(score_maps, image_labels, own_background=gate == "softmax")
    wide = score_maps.to(torch.promote_types(score_maps.dtype, torch.float32))
    if gate == "softmax":
        return torch.softmax(wide, dim=1)
    normalize: dict[str, Callable[[Tensor], Tensor]] = {
        "max_official": _max_official,
        "max_paper": _max_paper,
        "sigmoid": torch.sigmoid,
        "scores": torch.clone,
    }
    maps = normalize[gate](wide) * image_labels.to(wide)[..., None, None]
    if background == "none":
        return maps
    return torch.cat([1 - maps.max(dim=1, keepdim=True).values, maps], dim=1)


def _max_official(score_maps: Tensor) -> Tensor:
    rectified = score_maps.relu()
    flat = rectified.flatten(2)
    largest, least = (x.values[..., None, None] for x in (flat.max(dim=2), flat.min(dim=2)))
    return (rectified - least - EPSILON).relu() / (largest - least + EPSILON)


def _max_paper(score_maps: Tensor) -> Tensor:
    rectified = score_maps.relu()
    largest = rectified.detach().flatten(2).max(dim=2).values[..., None, None]
    # A class without a positive score has a map of zeros.
    return rectified / largest.masked_fill(largest == 0, math.inf)


def _check_shapes(score_maps: Tensor, image_labels: Tensor, *, own_background: bool) -> None:
    if score_maps.ndim != 4 or score_maps.numel() == 0:
        raise ValueError(
            f"score maps of shape {tuple(score_maps.shape)} are not (images, classes, h, w)"
        )
    if image_labels.shape != (len(score_maps), score_maps.shape[1] - own_background):
        raise ValueError(
            f"image labels of shape {tuple(image_labels.shape)} do not fit score maps of shape "
            f"{tuple(score_maps.shape)}: labels are (images, foreground classes)"
            + (", and the softmax has a background channel before them" * own_background)
        )
