import numpy as np
import pytest
import torch

from tests.references.psa_plain import psa_losses_plain
from wsss.losses.psa import psa_losses
from wsss.models.backbones.backbone import build_backbone
from wsss.models.psa import AffinityNet
from wsss.refine.affinity import neighbours


def _batch(height=6, width=9):
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (2, height, width), dtype=torch.uint8)
    labels[0, 2:4, 3:5] = 255
    return torch.randn(2, 4, height, width, requires_grad=True), labels


def _losses(features, labels, distance="mean", radius=4):
    network = AffinityNet(build_backbone("compact"), distance=distance, group_norm=False)
    offsets = neighbours(radius)
    affinity = network.affinities(features, offsets)
    return psa_losses(affinity, labels, offsets=offsets, ignore_index=255)


@pytest.mark.parametrize("distance", ["mean", "sum"])
def test_values_and_gradients_equal_plain_reference(distance):
    features, labels = _batch()
    fast = _losses(features, labels, distance)
    slow = psa_losses_plain(
        features.double(), labels, radius=4, distance=distance, ignore_index=255
    )
    assert list(fast) == list(slow)
    for name, value in fast.items():
        torch.testing.assert_close(value, slow[name].float())
        (given,) = torch.autograd.grad(value, features, retain_graph=True)
        (expected,) = torch.autograd.grad(slow[name], features, retain_graph=True)
        torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-6)


def test_weights_by_hand():
    # One source, to the right of it the same background, below three classes.
    offsets = neighbours(2)
    labels = torch.tensor([[[9, 0, 0], [7, 1, 4]]])
    affinity = torch.tensor([0.5, 0.25, 0.25, 0.25]).view(1, 4, 1, 1)
    found = psa_losses(affinity, labels, offsets=offsets, ignore_index=255)
    assert found["background_affinity"] == pytest.approx(np.log(2), rel=1e-4)
    assert found["foreground_affinity"] == 0
    assert found["negative_affinity"] == pytest.approx(-np.log(0.75), rel=1e-4)
    expected = np.log(2) / 4 - np.log(0.75) / 2
    assert found["total"] == pytest.approx(expected, rel=1e-4)


def test_labels_of_pixels_are_shrunk():
    features, labels = _batch()
    pixels = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    assert _losses(features, pixels)["total"] == _losses(features, labels)["total"]


def test_class_permutation_changes_nothing():
    features, labels = _batch()
    exchanged = torch.tensor([0, 2, 1], dtype=torch.uint8)[labels.clamp(max=2).long()]
    exchanged = torch.where(labels == 255, labels, exchanged)
    straight, permuted = _losses(features, labels), _losses(features, exchanged)
    assert all(torch.equal(straight[name], permuted[name]) for name in straight)


def test_all_unknown_gives_zero_with_finite_gradients():
    features, labels = _batch()
    total = _losses(features, torch.full_like(labels, 255))["total"]
    total.backward()
    assert total == 0 and not features.grad.any()


@pytest.mark.parametrize("factor", [0.0, 1e6])
def test_equal_and_far_features_stay_finite(factor):
    features, labels = _batch()
    features = (features.detach() * factor).requires_grad_()
    total = _losses(features, labels)["total"]
    total.backward()
    assert torch.isfinite(total) and torch.isfinite(features.grad).all()
