"""FickleNet window by window, and with expanded features, from Lee et al. 2019 sec. 3.

Choices are (h * w, s * s), see `wsss.models.ficklenet`. Both ways give the scores of all windows
(C, h, w); maps are left to automatic differentiation.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Scores = Callable[[Tensor, Tensor, Tensor], Tensor]


def kept_in_windows(choice: Tensor, size: tuple[int, int], side: int) -> Tensor:
    """Return a choice by windows: (h, w, s, s), weights of the units of the window at a position.

    Units beyond the border have weight one; their features are zero.
    """
    height, width = size
    kept = torch.ones(height, width, side, side, dtype=choice.dtype)
    by_place = choice.view(height, width, side, side)
    for y in range(height):
        for x in range(width):
            for row in range(side):
                for column in range(side):
                    unit_y, unit_x = y + row - side // 2, x + column - side // 2
                    if 0 <= unit_y < height and 0 <= unit_x < width:
                        kept[y, x, row, column] = by_place[unit_y, unit_x, row, column]
    return kept


def scores_by_window(features: Tensor, weight: Tensor, kept: Tensor) -> Tensor:
    """Return the scores (C, h, w): a dropout and a convolution for every window.

    Args:
        features: (D, h, w).
        weight: of the head (C, D, s, s).
        kept: see `kept_in_windows`.
    """
    _, height, width = features.shape
    side = weight.shape[-1]
    padded = F.pad(features, [side // 2] * 4)
    scores = [
        F.conv2d(padded[None, :, y : y + side, x : x + side] * kept[y, x], weight)[0, :, 0, 0]
        for y in range(height)
        for x in range(width)
    ]
    return torch.stack(scores, dim=1).view(-1, height, width)


def scores_by_expansion(features: Tensor, weight: Tensor, kept: Tensor) -> Tensor:
    """Return the scores (C, h, w): one dropout and one convolution of stride s over (D, sh, sw)."""
    channels, height, width = features.shape
    side = weight.shape[-1]
    windows = F.unfold(features[None], side, padding=side // 2)
    apart = windows.view(channels, side, side, height, width).permute(0, 3, 1, 4, 2)
    expanded = apart.reshape(1, channels, height * side, width * side)
    dropout = kept.permute(0, 2, 1, 3).reshape(height * side, width * side)
    return F.conv2d(expanded * dropout, weight, stride=side)[0]


def gradient_map(scores: Scores, features: Tensor, weight: Tensor, kept: Tensor) -> Tensor:
    """Return one class's map (h, w): ReLU(sum over channels of feature * gradient of its score).

    Args:
        scores: one of the two ways.
        features: (D, h, w).
        weight: the head's row of the class (1, D, s, s).
        kept: see `kept_in_windows`.
    """
    features = features.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(scores(features, weight, kept).mean(), features)
    return (features.detach() * gradient).sum(0).relu()
