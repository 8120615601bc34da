"""FickleNet: weighted contributions, against windows one by one and windows laid apart."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench.compare import Comparison, largest_difference
from tests.references.ficklenet_plain import (
    gradient_map,
    kept_in_windows,
    scores_by_expansion,
    scores_by_window,
)
from wsss.localize.ficklenet import chosen_maps
from wsss.models.ficklenet import FickleNetClassifier, build_classifier, draw_choice

# The paper's: VGG-16 at 321 x 321.
CLASSES = 20
SIZE = (41, 41)
SIDE = 9
DROPOUT_RATE = 0.9
# Of the paper's 200; each costs the same, but for what ours computes once.
PASSES = 4
RANDOM_SEED = 0
CLASS_ID = 3
# Sums of 41,472 products in float32, in another order; logits and gradients are divided by their
# largest, maps are in 0..1.
TOLERANCE = 1e-4


class Inputs(NamedTuple):
    """A network, features (1, 512, 41, 41), and choices as the plain ways take them."""

    model: FickleNetClassifier
    features: Tensor
    kept: list[Tensor]


def comparisons() -> list[Comparison]:
    """Return a choice's scores beside windows, and training and maps beside windows laid apart."""
    window, expanded = "window by window", "expanded features"
    return [
        _comparison(
            f"FickleNet, scores, {window}",
            f"score maps of an image; plain: {window}, and forward only, for the way back through "
            "that many windows takes minutes. Difference: of the maps, the largest taken as 1",
            choices=1,
            ours=_scores,
            plain=_scores_plainly,
            goal=10,
        ),
        _comparison(
            f"FickleNet, training, {expanded}",
            "logits of an image, and the way back to features and weights; plain: "
            f"{expanded}. Difference: of logits and gradients, of each the largest taken as 1",
            choices=1,
            ours=_trained,
            plain=_trained_plainly,
            goal=10,
        ),
        _comparison(
            f"FickleNet, maps, {expanded}",
            f"{PASSES} maps of one class and their maximum; plain: {expanded}, and the way "
            "back to features. Difference: of the maps in 0..1",
            choices=PASSES,
            ours=_maps,
            plain=_maps_plainly,
            goal=10,
        ),
    ]


def _comparison(name: str, inputs: str, *, choices: int, **ways: Any) -> Comparison:
    return Comparison(
        name=name,
        inputs=f"features 512 x 41 x 41, windows of {SIDE} x {SIDE}, {CLASSES} classes; {inputs}",
        prepare=partial(_inputs, choices),
        difference=largest_difference,
        tolerance=TOLERANCE,
        **ways,
    )


def _inputs(choices: int) -> Inputs:
    torch.manual_seed(RANDOM_SEED)
    options = {"kernel_size": SIDE, "dropout_rate": DROPOUT_RATE}
    model = build_classifier("vgg16", num_classes=CLASSES, **options)
    drawn = draw_choice(choices, SIZE, **options, generator=_generator())
    kept = [kept_in_windows(choice, SIZE, SIDE) for choice in drawn]
    return Inputs(model, torch.randn(1, 512, *SIZE).relu(), kept)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(RANDOM_SEED)


def _scores(inputs: Inputs) -> list[np.ndarray]:
    with torch.no_grad():
        # With its draws, which the plain ways are given.
        choice = inputs.model.draw_choice(1, inputs.features, _generator())
        return [_over_largest(inputs.model.chosen_score_maps(inputs.features, choice)[0])]


def _scores_plainly(inputs: Inputs) -> list[np.ndarray]:
    with torch.no_grad():
        return [
            _over_largest(
                scores_by_window(inputs.features[0], inputs.model.head.weight, inputs.kept[0])
            )
        ]


def _over_largest(found: Tensor) -> np.ndarray:
    return (found / found.abs().max()).detach().numpy()


def _with_gradients(
    inputs: Inputs, logits_of: Callable[[Tensor, Tensor], Tensor]
) -> list[np.ndarray]:
    features = inputs.features.detach().requires_grad_(True)
    weight = inputs.model.head.weight
    logits = logits_of(features, weight)
    found = [logits, *torch.autograd.grad(logits.sum(), [features, weight])]
    return [_over_largest(one) for one in found]


def _trained(inputs: Inputs) -> list[np.ndarray]:
    def logits(features: Tensor, _: Tensor) -> Tensor:
        choice = inputs.model.draw_choice(1, features, _generator())
        return inputs.model.chosen_logits(features, choice)[0]

    return _with_gradients(inputs, logits)


def _trained_plainly(inputs: Inputs) -> list[np.ndarray]:
    def logits(features: Tensor, weight: Tensor) -> Tensor:
        return scores_by_expansion(features[0], weight, inputs.kept[0]).mean((1, 2))

    return _with_gradients(inputs, logits)


def _maps(inputs: Inputs) -> list[np.ndarray]:
    with torch.no_grad():
        maps = chosen_maps(
            inputs.model,
            inputs.features[0],
            torch.tensor([CLASS_ID]),
            passes=PASSES,
            aggregation="maximum",
            generator=_generator(),
        )
    return [maps.numpy()]


def _maps_plainly(inputs: Inputs) -> list[np.ndarray]:
    weight = inputs.model.head.weight[CLASS_ID : CLASS_ID + 1].detach()
    found = torch.zeros(SIZE)
    for kept in inputs.kept:
        one = gradient_map(scores_by_expansion, inputs.features[0], weight, kept)
        found = torch.maximum(found, one / one.max())
    return [found[None].numpy()]
