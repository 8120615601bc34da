import copy

import pytest
import torch
from torch import nn

from wsss.models.backbones._pointwise import (
    ENOUGH_IMAGES,
    PointwiseConv2d,
    with_fast_pointwise,
)
from wsss.models.backbones.backbone import build_backbone


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pair(**options):
    torch.manual_seed(0)
    plain = nn.Conv2d(6, 5, 1, **options)
    fast = copy.deepcopy(plain)
    with_fast_pointwise(fast)
    assert type(fast) is PointwiseConv2d
    return plain, fast


def operations(network, x):
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        network(x)
    return {event.key for event in profile.key_averages()}


@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_same_convolution_there_and_back(stride, bias, layout):
    plain, fast = pair(stride=stride, bias=bias)
    x = torch.randn(3, 6, 7, 10).to(memory_format=layout)
    results = []
    for convolution in (plain, fast):
        own = x.clone().requires_grad_(True)
        y = convolution(own)
        (y * torch.arange(y.numel()).view(y.shape)).sum().backward()
        results.append((y.detach(), own.grad, convolution.weight.grad))
    for expected, got in zip(*results, strict=True):
        torch.testing.assert_close(
            got, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item()
        )


def test_channels_stay_last():
    _, fast = pair()
    y = fast(torch.randn(2, 6, 4, 4).to(memory_format=torch.channels_last))
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN")
def test_a_small_batch_goes_where_large_ones_go():
    plain, fast = pair()
    small, large = (torch.randn(n, 6, 20, 20) for n in (2, ENOUGH_IMAGES))
    assert "aten::mkldnn_convolution" in operations(plain, large)
    assert "aten::mkldnn_convolution" not in operations(plain, small), "torch has changed its mind"
    assert "aten::mkldnn_convolution" in operations(fast, small)


def test_batches_without_an_image_and_other_types():
    plain, fast = pair()
    for x in (torch.zeros(0, 6, 4, 4), torch.randn(6, 4, 4)):
        torch.testing.assert_close(fast(x), plain(x))
    twice = torch.randn(1, 6, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(fast.double()(twice), plain.double()(twice), rtol=0, atol=0)


def test_backbones_have_them_under_their_own_names():
    backbone = build_backbone("resnet50")
    fast = [name for name, m in backbone.named_modules() if isinstance(m, PointwiseConv2d)]
    assert len(fast) == 36
    assert {"layer1.0.conv1", "layer4.0.downsample.0"} <= set(fast)
    assert type(backbone.layer1[0].conv2) is nn.Conv2d
    assert "layer1.0.conv1.weight" in backbone.state_dict()


def test_what_is_more_than_a_convolution_of_one_pixel_stays():
    class Own(nn.Conv2d):
        pass

    network = nn.Sequential(
        Own(4, 4, 1),
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 4, 1, groups=2),
    )
    with_fast_pointwise(network)
    assert not any(isinstance(module, PointwiseConv2d) for module in network)
