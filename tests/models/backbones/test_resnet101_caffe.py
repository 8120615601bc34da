"""Tests of Caffe's ResNet-101; its numbers are checked in tests/models/test_deeplab.py."""

import pytest
import torch

from wsss.models.backbones.resnet101_caffe import CaffeBottleneck, build_backbone


def test_stages_have_the_stated_channels_and_strides() -> None:
    with torch.device("meta"):
        backbone = build_backbone().eval()
        stages = backbone.stages(torch.zeros(1, 3, 65, 97))
    assert [stage.shape[1] for stage in stages] == list(backbone.stage_channels)
    assert tuple(stages[0].shape[2:]) == (17, 25)  # rounded up, not 16 x 24
    assert tuple(stages[-1].shape[2:]) == (9, 13)
    assert backbone.stage_strides == (4, 4, 8, 8, 8)


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_the_first_convolution_has_the_stride_and_the_second_the_dilation(dilation: int) -> None:
    block = CaffeBottleneck(8, 16, stride=2, dilation=dilation).eval()
    assert block.conv1.stride == (2, 2) and block.conv2.stride == (1, 1)
    assert block.conv2.dilation == (dilation, dilation)
    assert block(torch.zeros(1, 8, 9, 12)).shape == (1, 16, 5, 6)
