import copy

import pytest
import torch
from torch import nn

from wsss.localize._folding import Folded, folding_pairs
from wsss.models.backbones.backbone import backbone_names, build_backbone

torch.set_num_threads(1)
# Convolutions that a normalisation follows; VGG-16 has none, Wide ResNet-38's first ones of a block
# come after it.
PAIRS = {"compact": 12, "resnet50": 53, "vgg16": 0}


def unsettled(name):
    """Return a backbone whose normalisations do something, as one module."""
    torch.manual_seed(0)
    backbone = build_backbone(name)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_var, 0.5, 1.5), (module.running_mean, -0.1, 0.1),
                (module.weight, 0.5, 1.5), (module.bias, -0.1, 0.1),
            ):  # fmt: skip
                nn.init.uniform_(tensor, low, high)
    stages = [module for modules in backbone.stage_modules() for module in modules]
    return nn.Sequential(*stages).double().eval()


LARGE = {"resnet101", "resnet101_caffe", "wide_resnet38"}
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name
    for name in backbone_names()
]


@pytest.mark.parametrize("name", NAMES)
def test_features_and_gradients_are_the_networks_own(name):
    network = unsettled(name)
    plain = copy.deepcopy(network)
    folded = Folded(network)
    x = torch.randn(2, 3, 40, 33, dtype=torch.double)
    expected = plain(x)
    expected.square().mean().backward()
    for turn in range(2):
        network.zero_grad()
        folded.refresh()
        # In parts, as whoever learns from many views does.
        parts = [folded.network(part) for part in x.split(1)]
        for part in parts:
            (part.square().sum() / expected.numel()).backward()
        folded.collect_gradients()
        found = torch.cat(parts)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
        for (where, p), q in zip(network.named_parameters(), plain.parameters(), strict=True):
            message = f"{where}, turn {turn}"
            assert (p.grad is None) == (q.grad is None), message
            if q.grad is not None:
                scale = float(q.grad.abs().max())
                torch.testing.assert_close(p.grad, q.grad, rtol=1e-6, atol=1e-9 * scale)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_folded(name):
    network = unsettled(name)
    assert len(folding_pairs(network)) == PAIRS[name]
    left = [m for m in Folded(network).network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not left


def test_moved_parameters_count_after_a_refresh():
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1)).eval()
    folded = Folded(network)
    one = torch.ones(1, 1, 1, 1)
    before = folded.network(one)
    with torch.no_grad():
        network[0].weight += 1
        network[1].bias += 2
    assert torch.equal(folded.network(one), before)
    folded.refresh()
    torch.testing.assert_close(folded.network(one), network(one))


class Activated(nn.BatchNorm2d):
    """A normalisation with an activation."""

    def forward(self, x):
        return super().forward(x).relu()


class Twice(nn.Module):
    """A convolution whose output is used beside the normalisation."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(2)

    def forward(self, x):
        y = self.conv(x)
        return self.norm(y) + y


@pytest.mark.parametrize(
    "network",
    [
        Twice(),
        nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)),
        nn.Sequential(nn.Conv2d(2, 2, 1, bias=False), Activated(2)),
        nn.Sequential(nn.Conv2d(2, 2, 1, bias=False), nn.BatchNorm2d(2, affine=False)),
        nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1, bias=False)),
        nn.Sequential(nn.Conv2d(2, 2, 1, bias=False), nn.ReLU(), nn.BatchNorm2d(2)),
    ],
)
def test_what_does_not_fold_stays(network):
    network.eval()
    assert folding_pairs(network) == []
    x = torch.randn(1, 2, 3, 3)
    assert torch.equal(Folded(network).network(x), network(x))
