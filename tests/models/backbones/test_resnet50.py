import torch
from torchvision.models import resnet50

from wsss.models.backbones.resnet50 import build_backbone

torch.set_num_threads(1)


def test_tensor_names_are_torchvisions():
    with torch.device("meta"):
        theirs = resnet50(weights=None).state_dict()
        ours = build_backbone().state_dict()
    assert {k: v.shape for k, v in ours.items()} == {
        k: v.shape for k, v in theirs.items() if not k.startswith("fc.")
    }


def test_last_stage_has_stride_one_and_no_dilation():
    with torch.device("meta"):
        layers = [m for m in build_backbone().layer4.modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(layer.stride == (1, 1) and layer.dilation == (1, 1) for layer in layers)
