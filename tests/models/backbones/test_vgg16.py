import pytest
import torch
from torch import nn
from torchvision.models import vgg16

from wsss.models.backbones.vgg16 import build_backbone

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(0)
    return build_backbone().eval()


def test_tensor_names_are_torchvisions(backbone):
    with torch.device("meta"):
        theirs = vgg16(weights=None).state_dict()
    assert {k: v.shape for k, v in backbone.state_dict().items()} == {
        k: v.shape for k, v in theirs.items() if k.startswith("features.")
    }


def test_holes_make_the_grid_denser_and_change_nothing_else(backbone):
    """At every second feature stage 5 sees what it would after a pooling of stride 2."""
    layers = []
    for layer in backbone.features:
        if isinstance(layer, nn.Conv2d):
            plain = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1)
            plain.load_state_dict(layer.state_dict())
            layers.append(plain)
        elif isinstance(layer, nn.MaxPool2d):
            layers.append(nn.MaxPool2d(3, 2, padding=1))
        else:
            layers.append(nn.ReLU())
    x = torch.randn(1, 3, 80, 112)
    with torch.inference_mode():
        coarse = nn.Sequential(*layers[:-1])(x)
        dense = backbone.features[:-1](x)
    assert dense.shape == (1, 512, 10, 14)
    torch.testing.assert_close(dense[:, :, ::2, ::2], coarse)


def test_stages_are_not_changed_by_those_that_follow(backbone):
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        stages = backbone.stages(x)
        for stage, modules in zip(stages, backbone.stage_modules(), strict=True):
            x = nn.Sequential(*modules)(x)
            assert torch.equal(stage, x)
