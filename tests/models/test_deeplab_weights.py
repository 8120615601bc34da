"""Tests of the renaming of trained official DeepLab weights."""

import pytest
import torch

from tests.models.official_deeplab import official_shapes
from wsss.models.deeplab import build_segmenter
from wsss.models.deeplab_weights import rename_deeplab


def _official() -> dict[str, torch.Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in official_shapes().items()}


def _shapes(state_dict: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {
        name: tensor.shape
        for name, tensor in state_dict.items()
        if not name.endswith("num_batches_tracked")
    }


def test_names_and_shapes_fit_the_segmenter() -> None:
    with torch.device("meta"):
        segmenter = build_segmenter(
            "deeplab_v2",
            "resnet101_caffe",
            num_classes=21,
            atrous_rates=(6, 12, 18, 24),
            scales=(),
        )
    assert _shapes(rename_deeplab(_official())) == _shapes(segmenter.state_dict())


def test_counters_are_kept() -> None:
    name = "base.layer3.block2.increase.bn.num_batches_tracked"
    renamed = rename_deeplab({name: torch.tensor(3)})
    assert list(renamed) == ["base.backbone.layer2.1.bn3.num_batches_tracked"]


@pytest.mark.parametrize(
    "name",
    [
        "base.fc.weight",
        "base.layer1.conv1.conv.bias",
        "base.layer2.block4.reduce.conv.weight",
        "base.layer6.block1.reduce.conv.weight",
        "base.layer2.block1.reduce.conv.running_mean",
    ],
)
def test_foreign_names_are_listed(name: str) -> None:
    with pytest.raises(KeyError, match=f"1 tensors do not belong .*{name}"):
        rename_deeplab(_official() | {name: torch.zeros(1)})


def test_a_whole_segmenter_needs_the_wrapper_prefix() -> None:
    with pytest.raises(KeyError, match=r"layer1\.conv1\.conv\.weight"):
        rename_deeplab({"layer1.conv1.conv.weight": torch.zeros(1)})
