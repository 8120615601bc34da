"""Wide ResNet-38 against the official networks and against a plain version of our own."""

import numpy as np
import pytest
import torch
from PIL import Image

from tests import golden
from tests.models.official_wide_resnet38 import empty_backbone, official_shapes, official_tensors
from tests.references.wide_resnet38_plain import wide_resnet38_stages
from wsss.models.backbones import wide_resnet38
from wsss.models.renaming import rename_exactly

torch.set_num_threads(1)
HEADS = ("fc8.weight", "f8_3.weight", "f8_4.weight", "f9.weight")


@pytest.fixture
def narrow(monkeypatch):
    """The network with few channels, in double precision, and its tensors by official names."""
    levels = {2: (3, 6, 6, 2, 1), 3: (3, 8, 8, 2, 1), 4: (6, 10, 10, 2, 1), 5: (3, 6, 12, 1, 2)}
    monkeypatch.setattr(wide_resnet38, "LEVELS", levels)
    monkeypatch.setattr(wide_resnet38, "BOTTLENECKS", {6: (16, 0.3), 7: (24, 0.5)})
    torch.manual_seed(0)
    backbone = wide_resnet38.build_backbone().double().eval()
    for name, tensor in backbone.state_dict().items():
        if "bn" in name and tensor.ndim:
            tensor.uniform_(0.5, 1.5)
    ours = dict(backbone.named_parameters()) | dict(backbone.named_buffers())
    names = [name for name in official_shapes(0) if backbone.own_name(name) in ours]
    assert len(names) == len(official_shapes(0))
    return backbone, {name: ours[backbone.own_name(name)] for name in names}


def test_every_official_tensor_has_its_place():
    backbone = empty_backbone()
    state = {name: torch.zeros(1).expand(shape) for name, shape in official_shapes(0).items()}
    renamed = rename_exactly(state, backbone, backbone.own_name, source="the network")
    assert renamed.keys() == backbone.state_dict().keys()
    assert sum(p.numel() for p in backbone.parameters()) == 105_070_912


@pytest.mark.parametrize(
    ("theirs", "official"),
    [
        ("arg:conv1a_weight", "conv1a.weight"),
        ("arg:res2a_branch1_weight", "b2.conv_branch1.weight"),
        ("arg:bn4b5_branch2b1_gamma", "b4_5.bn_branch2b1.weight"),
        ("aux:bn5b2_branch2a_moving_var", "b5_2.bn_branch2a.running_var"),
        ("arg:res7a_branch2b2_weight", "b7.conv_branch2b2.weight"),
        ("arg:bn6a_branch2a_beta", "b6.bn_branch2a.bias"),
        ("aux:bn7_moving_mean", "bn7.running_mean"),
    ],
)
def test_names_of_ademxapp(theirs, official):
    backbone = empty_backbone()
    assert backbone.own_name(theirs) == backbone.own_name(official)
    assert backbone.own_name(theirs) in backbone.state_dict()


def test_equals_the_plain_version_with_all_gradients(narrow):
    backbone, tensors = narrow
    x = torch.randn(2, 3, 41, 54, dtype=torch.float64, requires_grad=True)
    expected, found = wide_resnet38_stages(tensors, x), backbone.stages(x)
    assert [tuple(f.shape[2:]) for f in found] == [(21, 27), (11, 14), (6, 7), (6, 7), (6, 7)]
    learned = [x, *backbone.parameters()]
    gradients = [
        torch.autograd.grad(sum((stage**2).mean() for stage in stages), learned)
        for stages in (expected, found)
    ]
    for one, other in [*zip(expected, found, strict=True), *zip(*gradients, strict=True)]:
        torch.testing.assert_close(other, one, rtol=1e-10, atol=1e-10)


def test_the_layout_of_memory_is_kept_and_does_not_matter(narrow):
    backbone, _ = narrow
    x = torch.randn(2, 3, 33, 40, dtype=torch.float64)
    expected = backbone.stages(x)
    backbone.to(memory_format=torch.channels_last)
    for one, other in zip(
        expected, backbone.stages(x.to(memory_format=torch.channels_last)), strict=True
    ):
        assert other.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(other, one, rtol=1e-10, atol=1e-10)


def test_whole_channels_are_dropped_in_the_bottlenecks_and_only_in_training(narrow):
    backbone, _ = narrow
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    assert torch.equal(backbone(x), backbone(x))
    inputs = []
    for name in ("b6", "b7"):
        for layer in ("conv_branch2b1", "conv_branch2b2"):
            convolution = backbone.get_submodule(f"{name}.{layer}")
            convolution.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    torch.manual_seed(0)
    shares = []
    for _ in range(60):
        inputs.clear()
        backbone.train()(x)
        shares.append([float((given.abs().amax((2, 3)) == 0).double().mean()) for given in inputs])
    np.testing.assert_allclose(np.mean(shares, 0), [0.3, 0.3, 0.5, 0.5], atol=0.09)


def test_stage_one_is_what_eps_and_seam_freeze():
    backbone = empty_backbone()
    frozen = {id(p) for module in backbone.stage_modules()[0] for p in module.parameters()}
    held = [name for name, parameter in backbone.named_parameters() if id(parameter) in frozen]
    parts = {name.split(".")[0] for name in held}
    assert parts == {"conv1a", "b2_bn", "b2", "b2_1", "b2_2", "b3_bn"}


def filled(case):
    """The backbone with a case's weights, and the layers beside it."""
    tensors = official_tensors(case)
    heads = {name: tensors.pop(name) for name in HEADS if name in tensors}
    backbone = empty_backbone()
    renamed = rename_exactly(tensors, backbone, backbone.own_name, source="the network")
    backbone.load_state_dict(renamed, assign=True)
    return backbone.eval(), heads


def normalized(backbone, image):
    return backbone.normalize(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None])


@pytest.mark.slow
def test_features_and_scores_are_those_of_hfpl():
    case = golden.load("hfpl_infer_a")
    backbone, heads = filled(case)
    with torch.inference_mode():
        stages = backbone.stages(normalized(backbone, case["in_image"]))
        scores = torch.conv2d(stages[-1], heads["fc8.weight"])
    for name, stage in zip(("conv4", "conv5", "conv6"), stages[2:], strict=True):
        golden.assert_close(case, f"out_feat_{name}", stage[:, ::16].numpy())
    golden.assert_close(case, "out_scores", scores.numpy())


@pytest.mark.slow
def test_scores_of_every_view_are_those_of_eps():
    case = golden.load("eps_infer_a")
    backbone, heads = filled(case)
    image = Image.fromarray(case["in_image"])
    for number, scale in enumerate(case.json["hyper"]["scales"]):
        size = [round(side * scale) for side in image.size]
        x = normalized(backbone, image.resize(size, Image.Resampling.BICUBIC))
        with torch.inference_mode():
            scores = [torch.conv2d(backbone(view), heads["fc8.weight"]) for view in (x, x.flip(3))]
        golden.assert_close(case, f"out_scores_{2 * number}", scores[0].numpy())
        golden.assert_close(case, f"out_scores_{2 * number + 1}", scores[1].numpy())
