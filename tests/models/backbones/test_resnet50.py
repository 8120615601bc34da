"""torchvision's ResNets of bottlenecks: resnet50 and resnet101."""

import pytest
import torch
import torchvision

from wsss.models.backbones.backbone import build_backbone

torch.set_num_threads(1)


@pytest.fixture(params=["resnet50", "resnet101"])
def pair(request):
    """(torchvision's network, ours), without memory."""
    with torch.device("meta"):
        theirs = getattr(torchvision.models, request.param)(weights=None)
        return theirs, build_backbone(request.param)


def test_tensor_names_are_torchvisions(pair):
    theirs, ours = (network.state_dict() for network in pair)
    assert {k: v.shape for k, v in ours.items()} == {
        k: v.shape for k, v in theirs.items() if not k.startswith("fc.")
    }


def test_last_stage_has_stride_one_and_no_dilation(pair):
    layers = [m for m in pair[1].layer4.modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(layer.stride == (1, 1) and layer.dilation == (1, 1) for layer in layers)


def test_all_but_the_last_stage_compute_what_torchvision_does():
    torch.manual_seed(0)
    # With random weights features grow from block to block, and so do roundings in float32.
    theirs = torchvision.models.resnet101(weights=None).eval().double()
    ours = build_backbone("resnet101").eval().double()
    ours.load_state_dict({k: v for k, v in theirs.state_dict().items() if k[:3] != "fc."})
    x = torch.randn(1, 3, 64, 48, dtype=torch.float64)
    with torch.inference_mode():
        expected = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
        for name, stage in zip(("layer1", "layer2", "layer3"), ours.stages(x)[1:4], strict=True):
            expected = theirs.get_submodule(name)(expected)
            torch.testing.assert_close(stage, expected)
