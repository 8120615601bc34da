"""Every backbone keeps what the protocol promises."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from wsss.models.backbones.backbone import backbone_names, build_backbone

torch.set_num_threads(1)
NAMES = backbone_names()


@pytest.fixture(scope="module", params=NAMES)
def backbone(request):
    torch.manual_seed(0)
    return build_backbone(request.param).eval()


@pytest.mark.parametrize("size", [(64, 96), (65, 33), (47, 50)])
def test_stages_have_the_promised_channels_and_sizes(backbone, size):
    x = torch.zeros(1, 3, *size)
    with torch.no_grad():
        outputs = backbone.stages(x)
        assert torch.equal(outputs[-1], backbone(x))
    assert tuple(o.shape[1] for o in outputs) == backbone.stage_channels
    # Pooling that rounds up adds one feature beyond the edge to some lengths (Caffe's networks).
    for output, stride in zip(outputs, backbone.stage_strides, strict=True):
        for length, side in zip(size, output.shape[2:], strict=True):
            assert side - (-(-length // stride)) in (0, 1)


def test_evaluation_does_not_depend_on_the_batch(backbone):
    x = torch.randn(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = backbone(x), backbone(x[1:])
    scale = float(alone.abs().max())
    np.testing.assert_allclose(together[1:].numpy(), alone.numpy(), atol=1e-4 * scale)


@pytest.mark.parametrize("length", [1024, 1025, 1030, 1047])
def test_centre_offset_is_where_features_look(backbone, averaging, length):
    """The centroid of the pixels that a feature sees, when every layer is a plain average."""
    stride = backbone.stage_strides[-1]
    x = torch.full((1, 3, 4, length), 0.01, dtype=torch.float64, requires_grad=True)
    features = averaging(x)
    middle = features.shape[3] // 2
    (gradient,) = torch.autograd.grad(features[0, :, 0, middle].sum(), x)
    seen = gradient.sum((0, 1, 2)).numpy()
    assert (seen >= 0).all()
    centre = np.average(np.arange(length), weights=seen) - stride * middle
    assert centre == pytest.approx(backbone.centre_offset(length), abs=0.1)


@pytest.fixture(scope="module")
def averaging(backbone):
    """The backbone whose every layer is a plain average."""
    averaging = copy.deepcopy(backbone).double()
    for module in averaging.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
            module.running_var.fill_(1 - module.eps)
    for name, module in list(averaging.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            size = (module.kernel_size, module.stride, module.padding)
            averaging.set_submodule(name, nn.AvgPool2d(*size, ceil_mode=module.ceil_mode))
    return averaging
