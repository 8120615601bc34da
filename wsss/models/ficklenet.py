"""FickleNet: scores of windows in which hidden units are chosen at random (Lee et al. 2019).

A window of s x s positions stands around every position of the features; of each window, units (the
positions' features, with all their channels) are dropped at random, but for the one in the centre.
The published way expands the features until windows lie apart, drops, and convolves with kernel and
stride s. Nothing is expanded here: a unit's contribution to a window is linear in the unit, so
choices weight contributions instead. Draws and results are the same.

A choice is a tensor (n, h * w, s * s), see `draw_choice`: of every position, the weights with which
it takes part in the s * s windows that it lies in, in the order of the kernel's entries.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone, build_backbone
from wsss.models.classifier import Classifier, check_num_classes


class FickleNetClassifier(Classifier):
    """A classifier whose head looks at windows.

    `score_maps`, `logits_of` and `forward` are deterministic, what choices give on average: the
    head convolves all units, zero beyond the border. Localizers of plain classifiers see these.
    """

    network = "ficklenet"

    def __init__(
        self, backbone: Backbone, num_classes: int, *, kernel_size: int, dropout_rate: float
    ) -> None:
        """Build the head.

        Args:
            backbone: gives the features.
            num_classes: foreground classes (C).
            kernel_size: s, side of a window in features, odd (paper 9).
            dropout_rate: probability p with which a unit is dropped from a window (paper 0.9).
        """
        super().__init__(backbone, num_classes)
        self.head = nn.Conv2d(
            backbone.stage_channels[-1],
            num_classes,
            kernel_size,
            padding=kernel_size // 2,
            bias=False,
        )
        self.kernel_size, self.dropout_rate = kernel_size, dropout_rate

    def network_options(self) -> dict[str, object]:
        """Return the options beside backbone and classes with which `build_network` built this."""
        return {"kernel_size": self.kernel_size, "dropout_rate": self.dropout_rate}

    def logits_of(self, features: Tensor) -> Tensor:
        """Return the logits (B, C) of features (B, D, h, w), the mean of all windows' scores."""
        return self.head(features).mean((2, 3))

    def draw_choice(self, count: int, features: Tensor, generator: torch.Generator) -> Tensor:
        """Return `count` choices for features (..., h, w), see `draw_choice`."""
        height, width = features.shape[-2:]
        return draw_choice(
            count,
            (height, width),
            kernel_size=self.kernel_size,
            dropout_rate=self.dropout_rate,
            generator=generator,
        ).to(features)

    def chosen_logits(self, features: Tensor, choice: Tensor) -> Tensor:
        """Return the logits (B, C) of features (B, D, h, w) under a choice of each image.

        The mean of `chosen_score_maps`, without them: by kernel entry, chosen units are added up
        before they are scored.
        """
        units = choice.transpose(1, 2) @ features.flatten(2).transpose(1, 2)
        sums = torch.einsum("bkd,cdk->bc", units, self.head.weight.flatten(2))
        return sums / choice.shape[1]

    def chosen_score_maps(self, features: Tensor, choice: Tensor) -> Tensor:
        """Return the windows' scores (B, C, h, w) of features under a choice of each image."""
        found = contributions(self.head.weight, features.flatten(2)) * choice[:, None]
        # Entry k of a unit's window belongs to the window that lies k away, in the other direction.
        columns = found.flip(3).transpose(2, 3).flatten(1, 2)
        side = self.kernel_size
        return F.fold(columns, features.shape[2:], side, padding=side // 2)


def build_classifier(
    backbone: str, *, num_classes: int, kernel_size: int, dropout_rate: float
) -> FickleNetClassifier:
    """Return a FickleNet classifier with random weights on the backbone of this name.

    Raises:
        ValueError: No backbone has this name, there is no class, windows have no centre, or the
            dropout rate is not in 0..1, 1 left out.
    """
    check_num_classes(num_classes)
    if kernel_size < 1 or not kernel_size % 2:
        raise ValueError(f"a window with a centre has an odd side, got kernel_size={kernel_size}")
    if not 0 <= dropout_rate < 1:
        raise ValueError(f"the dropout rate must be at least 0 and below 1, got {dropout_rate}")
    return FickleNetClassifier(
        build_backbone(backbone), num_classes, kernel_size=kernel_size, dropout_rate=dropout_rate
    )


def draw_choice(
    count: int,
    size: tuple[int, int],
    *,
    kernel_size: int,
    dropout_rate: float,
    generator: torch.Generator,
) -> Tensor:
    """Return choices of hidden units for all windows (count, h * w, s * s), float32.

    A unit's weight in a window is 0 if it is dropped and 1 / (1 - p) if it stays, as in common
    dropout; in the window that it is the centre of, it is always 1. (The paper does not tell
    whether it scales, which a head can learn in its place.) So a choice is on average the head's
    own convolution. Weights in windows whose centre lies beyond the border are 0: there are none.

    Args:
        count: how many.
        size: of the features, (h, w).
        kernel_size: s.
        dropout_rate: p.
        generator: of the draws, on whose device the choices are.
    """
    height, width = size
    entries = kernel_size**2
    shape = (count, height * width, entries)
    kept = torch.rand(shape, generator=generator, device=generator.device) >= dropout_rate
    scale = 1 / (1 - dropout_rate)
    choice = kept * (windows_inside(size, kernel_size).to(generator.device) * scale)
    choice[:, :, entries // 2] = 1
    return choice


def windows_inside(size: tuple[int, int], kernel_size: int) -> Tensor:
    """Return which of the s * s windows of every position have their centre on it, (h * w, s * s).

    Entry k of position u belongs to the window in which u is entry k of the kernel.
    """
    away = torch.arange(kernel_size) - kernel_size // 2
    rows, columns = (torch.arange(length)[:, None] - away for length in size)
    inside_rows = (rows >= 0) & (rows < size[0])
    inside_columns = (columns >= 0) & (columns < size[1])
    return (inside_rows[:, None, :, None] & inside_columns[None, :, None, :]).view(
        size[0] * size[1], kernel_size**2
    )


def contributions(weight: Tensor, units: Tensor) -> Tensor:
    """Return what each unit adds to a class's score in each of its windows, (B, C, h * w, s * s).

    Args:
        weight: of the head (C, D, s, s), or its rows of some classes.
        units: features (B, D, h * w).
    """
    return torch.einsum("cdk,bdu->bcuk", weight.flatten(2), units)
