import numpy as np
import pytest
import torch

from tests import golden
from tests.models.official_irn import assert_evaluates_as_official
from wsss.losses.irn import irn_losses, pair_terms
from wsss.losses.pairs import source_cells
from wsss.models.backbones.backbone import build_backbone
from wsss.models.irn import IRNet, boundary_maps, fit_mean_shift, trainable_parameters
from wsss.refine.affinity import end_points, path_groups


def _compact():
    torch.manual_seed(0)
    return IRNet(build_backbone("compact")).eval()


def _images(batch, height, width):
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


def _official(case):
    """ResNet-50 with the case's weights, which are made by the official names."""
    irnet = IRNet(build_backbone("resnet50"))
    state = irnet.state_dict()
    names = {key: key.replace("backbone.", "resnet50.", 1) for key in state}
    weights = golden.fill_weights(
        {names[k]: v.shape for k, v in state.items()}, case.json["weights"]
    )
    assert len(weights) == case.json["weights"]["tensors_filled"]
    filled = {k: torch.from_numpy(weights[n]) for k, n in names.items() if n in weights}
    irnet.load_state_dict({**state, **filled})
    return irnet


@pytest.mark.slow
def test_evaluation_equals_official():
    case = golden.load("irn_net_a")
    irnet = _official(case).eval()
    assert irnet.stride == case.json["hyper"]["stride"]
    assert_evaluates_as_official(case, irnet)


@pytest.mark.slow
def test_training_step_equals_official():
    case = golden.load("irn_train_a")
    irnet = _official(case).train()
    images = torch.from_numpy(case["in_images"]).permute(0, 3, 1, 2)
    logits, displacement = irnet(irnet.normalize(images))
    golden.assert_close(case, "out_edge_logit", logits.detach().numpy())
    golden.assert_close(case, "out_displacement", displacement.detach().numpy())

    groups = path_groups(case.json["hyper"]["path_radius"])
    sources = source_cells(end_points(groups), *logits.shape[2:])
    terms = [pair_terms(torch.sigmoid(logits[:, 0]), displacement, g, sources) for g in groups]
    names = ("pos_map", "neg_map", "dp_fg_map", "dp_bg_map")
    for name, parts in zip(names, zip(*terms, strict=True), strict=True):
        means = torch.cat([part.detach().mean(-1) for part in parts], dim=-1)
        golden.assert_close(case, f"out_{name}_mean", means.numpy())

    labels = torch.from_numpy(case["in_labels"])
    losses = irn_losses(logits, displacement, labels, paths=groups, ignore_index=255)
    golden.assert_close(case, "out_losses", torch.stack(list(losses.values())).detach().numpy())
    losses["total"].backward()
    golden.assert_close(case, "out_grad_fc_edge6", irnet.fc_edge6.weight.grad.numpy())
    golden.assert_close(case, "out_grad_fc_dp7", irnet.fc_dp7[3].weight.grad.numpy())
    golden.assert_close(
        case, "out_grad_fc_edge1", irnet.fc_edge1[0].weight.grad[:, :, 0, 0].numpy()
    )


@pytest.mark.parametrize("backbone", ["compact", "efficientnet_lite0", "resnet50", "vgg16"])
@pytest.mark.parametrize("size", [(64, 64), (37, 50)])
def test_output_grid_has_stride_four(backbone, size):
    irnet = IRNet(build_backbone(backbone)).eval()
    with torch.no_grad():
        edge, displacement = irnet(torch.randn(1, 3, *size))
    grid = tuple(-(-side // 4) for side in size)
    assert irnet.stride == 4
    assert edge.shape == (1, 1, *grid) and displacement.shape == (1, 2, *grid)


def test_every_backbone_parameter_rests_and_every_other_learns():
    irnet = _compact().train()
    before = {name: value.clone() for name, value in irnet.backbone.state_dict().items()}
    edge, displacement = irnet(torch.randn(2, 3, 48, 64))
    (edge.square().mean() + displacement.square().mean()).backward()
    groups = trainable_parameters(irnet)
    learning = {id(p) for group in groups.values() for p in group}
    for name, parameter in irnet.named_parameters():
        assert (id(parameter) in learning) == (parameter.grad is not None), name
        assert name.startswith("backbone.") != (id(parameter) in learning), name
    after = irnet.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not irnet.backbone.training and irnet.fc_edge1.training


def test_mirror_image_gives_mirrored_boundaries():
    irnet, images = _compact(), _images(1, 40, 52)
    straight = boundary_maps(irnet, images, crop_size=64)[0]
    mirrored = boundary_maps(irnet, images[:, :, ::-1].copy(), crop_size=64)[0]
    np.testing.assert_allclose(mirrored[:, ::-1], straight, atol=1e-5)


@pytest.mark.parametrize("crop_size", [None, 64, 32])
def test_images_of_a_batch_do_not_meet(crop_size):
    irnet, images = _compact(), _images(3, 37, 50)
    together = boundary_maps(irnet, images, crop_size=crop_size)
    assert len(together) == 3
    for image, edge in zip(images, together, strict=True):
        (alone,) = boundary_maps(irnet, image[None], crop_size=crop_size)
        assert edge.shape == (10, 13)
        assert edge.dtype == np.float32 and 0 <= edge.min() <= edge.max() <= 1
        np.testing.assert_allclose(edge, alone, atol=1e-5)


def test_crop_size_matters_and_none_does_not_fill():
    irnet, images = _compact(), _images(1, 40, 52)
    filled = boundary_maps(irnet, images, crop_size=128)[0]
    plain = boundary_maps(irnet, images, crop_size=None)[0]
    smaller = boundary_maps(irnet, images, crop_size=16)[0]
    assert np.abs(filled - plain).max() > 1e-4
    np.testing.assert_array_equal(smaller, plain)


def test_mean_shift_is_the_mean_displacement():
    irnet = _compact()
    batches = [irnet.normalize(torch.randint(0, 256, (2, 3, 32, 32))) for _ in range(2)]
    irnet.mean_shift.running_mean.fill_(7.0)
    fit_mean_shift(irnet, iter(batches))
    with torch.no_grad():
        shifted = torch.stack([irnet(batch)[1].mean((0, 2, 3)) for batch in batches]).mean(0)
        torch.testing.assert_close(shifted, torch.zeros(2), atol=1e-5, rtol=0)
        raw = irnet.train()(batches[0])[1] - irnet.eval()(batches[0])[1]
    torch.testing.assert_close(raw[0, :, 0, 0], irnet.mean_shift.running_mean)


def test_normalize_puts_the_mean_at_zero():
    irnet = _compact()
    mean = torch.tensor(irnet.backbone.pixel_mean).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(irnet.normalize(mean), torch.zeros(1, 3, 4, 4))


def test_errors():
    irnet = _compact()
    with pytest.raises(ValueError, match="uint8 images"):
        boundary_maps(irnet, np.zeros((8, 8, 3), np.uint8), crop_size=None)
    with pytest.raises(ValueError, match="at least one batch"):
        fit_mean_shift(irnet, [])
    with pytest.raises(ValueError, match="eval"):
        boundary_maps(irnet.train(), _images(1, 8, 8), crop_size=None)
