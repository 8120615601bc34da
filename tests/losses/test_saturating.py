"""Cross-entropy through saturating activations by hand, at its ends, and against L_RIB."""

import math

import pytest
import torch

from wsss.losses.classification import soft_margin
from wsss.losses.rib import rib_loss
from wsss.losses.saturating import ACTIVATIONS, saturating_loss

PROBABILITIES = {
    "sigmoid": lambda y: 1 / (1 + math.exp(-y)),
    "tanh": lambda y: (math.tanh(y) + 1) / 2,
    "softsign": lambda y: (y / (1 + abs(y)) + 1) / 2,
}
# Of the log-probability of a class that is present.
SLOPES = {
    "sigmoid": lambda y: 1 / (1 + math.exp(y)),
    "tanh": lambda y: 1 - math.tanh(y),
    "softsign": lambda y: 1 / ((1 + y) * (1 + 2 * y)) if y >= 0 else 1 / (1 - y),
}
LOGITS = torch.tensor([[1.0, -2.0, 5.0, 0.0], [0.5, 3.0, -4.0, 0.0]], dtype=torch.float64)
LABELS = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def slopes(logits, labels, activation):
    """Return minus the gradient of the loss."""
    logits = logits.clone().requires_grad_(True)
    loss = saturating_loss(logits, labels, activation=activation)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.isfinite() and gradient.isfinite().all()
    return -gradient


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_loss_by_hand(activation):
    probability, expected = PROBABILITIES[activation], 0.0
    for logit, label in zip(LOGITS.flatten().tolist(), LABELS.flatten().tolist(), strict=True):
        expected -= math.log(probability(logit) if label else 1 - probability(logit))
    loss = saturating_loss(LOGITS, LABELS, activation=activation)
    assert float(loss) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_by_hand(activation):
    """Also at 0, where softsign's two halves meet."""
    slope = SLOPES[activation]
    expected = [
        [slope(y) if t else -slope(-y) for y, t in zip(*row, strict=True)]
        for row in zip(LOGITS.tolist(), LABELS.tolist(), strict=True)
    ]
    found = slopes(LOGITS, LABELS, activation)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_with_the_sigmoid_it_is_what_classifiers_learn_from():
    loss = saturating_loss(LOGITS, LABELS, activation="sigmoid")
    torch.testing.assert_close(loss, 4 * soft_margin(LOGITS, LABELS).sum())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_finite_at_both_ends(activation):
    logits = torch.tensor([[1e30, -1e30, 1e30, -1e30, 1e5, -1e5]])
    labels = torch.tensor([[1, 0, 0, 1, 1, 0]])
    found = slopes(logits, labels, activation)
    # Settled classes are left alone.
    assert found[0, :2].abs().max() < 1e-30 and found[0, 4:].abs().max() < 1e-9


def test_absent_and_present_classes_are_mirrored():
    for activation in ACTIVATIONS:
        loss = saturating_loss(LOGITS, LABELS, activation=activation)
        assert loss == saturating_loss(-LOGITS, 1 - LABELS, activation=activation)


@pytest.mark.parametrize("logit", [5.0, 10.0, 15.0])
def test_the_gradient_vanishes_where_the_activation_saturates(logit):
    """Softsign's latest of all, as in dissertation 3.4.4; that of L_RIB never."""
    logits, present = torch.tensor([[logit]], dtype=torch.float64), torch.ones(1, 1)
    found = {name: float(slopes(logits, present, name)) for name in ACTIVATIONS}
    assert 0 < found["tanh"] < 0.02 * found["sigmoid"]
    assert found["sigmoid"] < 0.5 * found["softsign"]
    assert found["softsign"] < 1 / (2 * logit**2)
    logits.requires_grad_(True)
    rib_loss(logits, present, margin=600, margin_form="paper").backward()
    assert logits.grad.item() == -1


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        ValueError, match=r"unknown activation 'other': choose one of sigmoid, tanh, softsign"
    ):
        saturating_loss(LOGITS, LABELS, activation="other")
    with pytest.raises(ValueError, match=r"\(2, 4\) and image labels of shape \(2, 3\) differ"):
        saturating_loss(LOGITS, LABELS[:, :3], activation="tanh")
