import pytest
import torch

from tests.references.irn_losses_slow import irn_losses_slow
from wsss.losses.irn import TERMS, irn_losses
from wsss.refine.affinity import path_groups

SLOW_NAMES = ("bg", "fg", "neg", "dp_fg", "dp_bg", "total")


def _batch(height=7, width=10):
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (2, height, width), dtype=torch.uint8)
    labels[0, 2:4, 3:5] = 255
    logits = torch.randn(2, 1, height, width, requires_grad=True)
    displacement = torch.randn(2, 2, height, width, requires_grad=True)
    return logits, displacement, labels


def _losses(logits, displacement, labels, radius=4):
    return irn_losses(logits, displacement, labels, paths=path_groups(radius), ignore_index=255)


def test_values_and_gradients_equal_slow_reference():
    logits, displacement, labels = _batch()
    fast = _losses(logits, displacement, labels)
    slow = irn_losses_slow(
        logits.double(), displacement.double(), labels, radius=4, ignore_index=255
    )
    for name, slow_name in zip((*TERMS, "total"), SLOW_NAMES, strict=True):
        torch.testing.assert_close(fast[name], slow[slow_name].float())
        given = torch.autograd.grad(
            fast[name], (logits, displacement), allow_unused=True, retain_graph=True
        )
        expected = torch.autograd.grad(
            slow[slow_name], (logits, displacement), allow_unused=True, retain_graph=True
        )
        for one, other in zip(given, expected, strict=True):
            zero = torch.zeros(())
            torch.testing.assert_close(
                zero if one is None else one, torch.zeros_like(one) if other is None else other
            )


def test_displacements_that_point_to_the_centre_cost_nothing():
    y, x = torch.meshgrid(torch.arange(7.0), torch.arange(10.0), indexing="ij")
    to_centre = torch.stack([3 - y, 5 - x])[None]
    logits, labels = torch.full((1, 1, 7, 10), -20.0), torch.ones(1, 7, 10, dtype=torch.uint8)
    losses = _losses(logits, to_centre, labels)
    assert losses["foreground_displacement"] < 1e-6 and losses["foreground_affinity"].abs() < 1e-4
    still = _losses(logits, torch.ones(1, 2, 7, 10), 0 * labels)
    assert still["background_displacement"] == 0 and still["foreground_displacement"] == 0


def test_class_permutation_changes_nothing():
    logits, displacement, labels = _batch()
    exchanged = torch.tensor([0, 2, 1], dtype=torch.uint8)[labels.clamp(max=2).long()]
    exchanged = torch.where(labels == 255, labels, exchanged)
    straight, permuted = (
        _losses(logits, displacement, labels),
        _losses(logits, displacement, exchanged),
    )
    assert all(torch.equal(straight[name], permuted[name]) for name in straight)


def test_all_unknown_gives_zero_with_finite_gradients():
    logits, displacement, labels = _batch()
    total = _losses(logits, displacement, torch.full_like(labels, 255))["total"]
    total.backward()
    assert total == 0 and not logits.grad.any() and not displacement.grad.any()


def test_saturated_boundaries_stay_finite():
    _, displacement, labels = _batch()
    for value in (-200.0, 200.0):
        logits = torch.full((2, 1, 7, 10), value, requires_grad=True)
        total = _losses(logits, displacement, labels)["total"]
        total.backward()
        assert torch.isfinite(total) and torch.isfinite(logits.grad).all()


def test_map_smaller_than_the_paths():
    logits, displacement, labels = _batch(7, 10)
    with pytest.raises(ValueError, match=r"7 x 10 cells are too small for pairs within radius 6"):
        _losses(logits, displacement, labels, radius=6)
