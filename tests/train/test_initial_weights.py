"""Classifiers and segmenters that start from files of others."""

import pytest
import torch

from tests.models.test_initial_weights import ademxapp_file, deeplab_file, torchvision_file
from tests.store.mxnet_writer import params_bytes
from tests.train.small import CLASSES, equal_tensors
from wsss.models.backbones import wide_resnet38
from wsss.models.backbones.backbone import build_backbone
from wsss.models.classifier import build_classifier
from wsss.train.networks import start_classifier, start_segmenter

torch.set_num_threads(1)
KEY = "initial_weights_saw_pixel_labels: true"


@pytest.fixture
def save(tmp_path):
    def save(state, name="weights.pth"):
        torch.save(state, tmp_path / name)
        return tmp_path / name

    return save


def classifier(path, backbone, random_seed=0):
    return start_classifier(
        None, classes=CLASSES, network="classifier", network_options={}, backbone=backbone,
        initial_weights=str(path), random_seed=random_seed,
    )[0]  # fmt: skip


def segmenter(path, backbone, *, saw_pixel_labels=False):
    recipe = {"network": "deeplab_v2", "backbone": backbone, "atrous_rates": [2], "scales": []}
    return start_segmenter(
        recipe, classes=CLASSES, initial_weights=str(path), saw_pixel_labels=saw_pixel_labels,
        start=path, random_seed=0,
    )  # fmt: skip


def assert_filled(backbone, state):
    for name, tensor in backbone.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, state[name])


@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
def test_both_start_from_torchvisions_files(save, name):
    state = torchvision_file(name)
    path = save(state)
    one = classifier(path, name)
    assert_filled(one.backbone, state)
    # What the file does not hold depends on the random seed, as ever.
    torch.manual_seed(0)
    fresh = build_classifier(name, num_classes=len(CLASSES)).head.state_dict()
    assert equal_tensors(one.head.state_dict(), fresh)
    assert not equal_tensors(classifier(path, name, random_seed=1).head.state_dict(), fresh)
    assert_filled(segmenter(path, name).base.backbone, state)


def test_a_file_of_another_backbone_is_refused(save):
    path = save(torchvision_file("resnet101"))
    words = (
        r"weights\.pth: tensor 'layer3\.6\.conv1\.weight' does not belong to ImageNet weights of"
    )
    with pytest.raises(ValueError, match=words):
        classifier(path, "resnet50")
    with pytest.raises(ValueError, match=r"weights\.pth: the file lacks .* tensors"):
        segmenter(save(torchvision_file("resnet50")), "resnet101")


def test_a_checkpoint_of_class_map_code_is_sent_to_its_command(save):
    path = save({"fc8.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"'fc8\.weight' does not .* `wsss import-weights` first"):
        classifier(path, "compact")


@pytest.fixture
def narrow(monkeypatch):
    """Wide ResNet-38 with few channels, so that its files are small."""
    levels = {2: (3, 6, 6, 2, 1), 3: (3, 8, 8, 2, 1), 4: (6, 10, 10, 2, 1), 5: (3, 6, 12, 1, 2)}
    monkeypatch.setattr(wide_resnet38, "LEVELS", levels)
    monkeypatch.setattr(wide_resnet38, "BOTTLENECKS", {6: (16, 0.3), 7: (24, 0.5)})
    backbone = wide_resnet38.build_backbone()
    shapes = {name: tensor.shape for name, tensor in backbone.state_dict().items()}
    numbers = torch.Generator().manual_seed(0)
    return {
        official: torch.rand(shapes[backbone.own_name(official)], generator=numbers)
        for official in ademxapp_file()
        if backbone.own_name(official) in shapes
    }


def test_mxnet_files_start_a_wide_resnet38(narrow, tmp_path):
    path = tmp_path / "ilsvrc-cls_rna-a1_cls1000_ep-0001.params"
    arrays = {name: tensor.numpy() for name, tensor in narrow.items()}
    path.write_bytes(params_bytes(arrays))
    own_name = build_backbone("wide_resnet38").own_name
    state = {own_name(name): tensor for name, tensor in narrow.items()}
    assert_filled(classifier(path, "wide_resnet38").backbone, state)
    assert_filled(segmenter(path, "wide_resnet38").base.backbone, state)


def test_a_damaged_mxnet_file_is_refused(narrow, tmp_path):
    path = tmp_path / "cut.params"
    path.write_bytes(params_bytes({n: t.numpy() for n, t in narrow.items()})[:-5])
    with pytest.raises(ValueError, match=r"cut\.params is no MXNet parameter file .* 5 bytes"):
        classifier(path, "wide_resnet38")


def test_deeplab_starts_from_imagenet_without_further_ado(save):
    state = deeplab_file(outputs=1000)
    found = segmenter(save(state, "deeplabv1_resnet101-imagenet.pth"), "resnet101_caffe")
    weight = found.base.backbone.layer1[0].conv2.weight
    assert torch.equal(weight, state["layer2.block1.conv3x3.conv.weight"])


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("init.pth", lambda: deeplab_file(outputs=91),
         r"it holds a segmentation head, fc\.weight \(91, 2048, 1, 1\)"),
        ("deeplabv1_resnet101-coco.pth", deeplab_file,
         r"deeplabv1_resnet101-coco\.pth is trained on the masks of MS COCO"),
    ],
)  # fmt: skip
def test_weights_that_saw_masks_need_a_word(save, name, state, words):
    path = save(state(), name)
    with pytest.raises(ValueError, match=rf"saw pixel labels \({words}\): .*{KEY}") as caught:
        segmenter(path, "resnet101_caffe")
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="saw pixel labels"):
        classifier(path, "resnet101_caffe")
    found = segmenter(path, "resnet101_caffe", saw_pixel_labels=True)
    weight = found.base.backbone.layer1[0].conv2.weight
    assert torch.equal(weight, state()["layer2.block1.conv3x3.conv.weight"])


def test_another_name_of_the_file_does_not_hide_it(save, tmp_path):
    (tmp_path / "init.pth").symlink_to(save(deeplab_file(), "deeplabv1_resnet101-coco.pth"))
    with pytest.raises(ValueError, match=r"init\.pth saw pixel labels \(deeplabv1_resnet101-coco"):
        segmenter(tmp_path / "init.pth", "resnet101_caffe")
