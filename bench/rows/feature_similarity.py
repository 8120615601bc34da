"""Feature similarity loss: pairs within reach of its Gaussian, against all pairs."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.compare import Comparison
from bench.inputs import photographs
from tests.references.fsl_plain import feature_similarity_plain
from wsss.losses.fsl import feature_similarity_loss

CLASSES = 20
# Of a crop of 448 pixels at stride 8; the plain way keeps some tensors of all pairs and classes.
SIDE = 56
LOSS = {"mu": 2.5, "sigma": 5.0}
# Five sigma: pairs beyond have 4e-6 of the weight.
REACH = 25.0
# Of the loss, and of the gradient over its largest.
TOLERANCE = 1e-4


class Inputs(NamedTuple):
    """Predictions (1, C, h, w) in 0..1 and colours (1, 3, h, w) in 0..1."""

    predictions: Tensor
    colours: Tensor


def comparisons() -> list[Comparison]:
    """Return the loss and its gradient for one image."""
    return [
        Comparison(
            name="Feature similarity loss",
            inputs=f"of {CLASSES} classes on {SIDE} x {SIDE} positions, and its gradient; plain: "
            f"all pairs, ours: those within {REACH:g} positions (5 sigma). Difference: of both, "
            "the largest of each in the plain way taken as 1",
            prepare=partial(prepare, SIDE),
            ours=ours,
            plain=plain,
            difference=_apart,
            tolerance=TOLERANCE,
            goal=3,
        )
    ]


def prepare(side: int) -> Inputs:
    """Return soft predictions, and a photograph's colours at their size."""
    torch.manual_seed(0)
    predictions = torch.randn(1, CLASSES, side, side).softmax(1)
    pixels = torch.from_numpy(photographs(1).transpose(0, 3, 1, 2).copy()).float() / 255
    return Inputs(predictions, F.interpolate(pixels, (side, side), mode="bilinear"))


def ours(inputs: Inputs) -> list[np.ndarray]:
    """Return loss and gradient within reach."""
    return _with_gradient(inputs, partial(feature_similarity_loss, reach=REACH, **LOSS))


def plain(inputs: Inputs) -> list[np.ndarray]:
    """Return loss and gradient of all pairs."""
    return _with_gradient(inputs, partial(feature_similarity_plain, reach=None, **LOSS))


def _with_gradient(inputs: Inputs, loss_of: Any) -> list[np.ndarray]:
    predictions = inputs.predictions.clone().requires_grad_(True)
    loss = loss_of(predictions, inputs.colours)
    (gradient,) = torch.autograd.grad(loss, [predictions])
    return [loss.detach().numpy(), gradient.numpy()]


def _apart(ours: list[np.ndarray], plain: list[np.ndarray]) -> float:
    pairs = zip(ours, plain, strict=True)
    return max(float(np.abs(own - other).max() / np.abs(other).max()) for own, other in pairs)
