import numpy as np
import pytest
import torch

from tests.references.psa_plain import affinity_of
from wsss.config.refiner_checks import PSA_CELL, PSA_CELLS
from wsss.models.backbones.backbone import backbone_names, build_backbone
from wsss.models.psa import AffinityNet, affinity_maps, trainable_parameters
from wsss.refine.affinity import neighbours

OPTIONS = {"distance": "mean", "group_norm": False}


def _network(backbone="compact", **options):
    torch.manual_seed(0)
    return AffinityNet(build_backbone(backbone), **{**OPTIONS, **options}).eval()


def _images(batch, height, width):
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("backbone", ["compact", "efficientnet_lite0", "resnet50", "vgg16"])
@pytest.mark.parametrize("size", [(64, 64), (37, 50)])
def test_the_grid_is_that_of_stage_three(backbone, size):
    network = _network(backbone)
    with torch.no_grad():
        features = network(torch.randn(1, 3, *size))
    assert features.shape[2:] == tuple(-(-side // network.stride) for side in size)
    (affinity,) = affinity_maps(network, _images(1, *size), neighbours(3))
    assert affinity.shape == (12, *features.shape[2:])


def test_the_config_knows_the_cells_of_every_backbone():
    with torch.device("meta"):
        found = {n: AffinityNet(build_backbone(n), **OPTIONS).stride for n in backbone_names()}
    assert found == {name: PSA_CELLS.get(name, PSA_CELL) for name in found}


def test_layers_of_wide_resnet38_are_the_official_ones():
    with torch.device("meta"):
        network = AffinityNet(build_backbone("wide_resnet38"), **OPTIONS)
    shapes = {name: tuple(value.shape[:2]) for name, value in network.state_dict().items()}
    own = {name: shape for name, shape in shapes.items() if not name.startswith("backbone.")}
    assert own == {
        "f8_3.weight": (64, 512), "f8_4.weight": (128, 1024), "f8_5.weight": (256, 4096),
        "f9.weight": (448, 448),
    }  # fmt: skip


def test_group_norm_has_groups_of_eight_channels():
    network = _network(group_norm=True)
    norms = (network.gn8_3, network.gn8_4, network.gn8_5)
    assert [(norm.num_groups, norm.num_channels) for norm in norms] == [(4, 32), (8, 64), (16, 128)]
    x = torch.randn(1, 3, 32, 32)
    assert not torch.allclose(network(x), _network()(x))


@pytest.mark.parametrize("distance", ["mean", "sum"])
def test_affinities_and_gradients_equal_plain_reference(distance):
    network, offsets = _network(distance=distance), neighbours(3)
    features = torch.randn(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, len(offsets), 3, 3, dtype=torch.float64)
    found = network.affinities(features, offsets)
    expected = torch.stack([
        torch.stack([
            affinity_of(maps, (y, x), (y + dy, x + dx), distance)
            for dy, dx in offsets.tolist() for y in range(3) for x in range(2, 5)
        ]).view(len(offsets), 3, 3)
        for maps in features
    ])  # fmt: skip
    torch.testing.assert_close(found, expected.float())
    (one,) = torch.autograd.grad((found * weights).sum(), features)
    (other,) = torch.autograd.grad((expected * weights).sum(), features)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_affinity_maps_are_of_all_pairs_inside():
    network, offsets, images = _network(), neighbours(3), _images(2, 37, 50)
    found = affinity_maps(network, images, offsets)
    assert len(found) == 2
    for image, affinity in zip(images, found, strict=True):
        pixels = torch.from_numpy(image[None]).permute(0, 3, 1, 2)
        x = torch.nn.functional.pad(network.normalize(pixels), (0, 2, 0, 3))
        with torch.no_grad():
            features = network(x)[0]
        assert affinity.dtype == np.float32 and affinity.shape == (12, 10, 13)
        for (dy, dx), of_way in zip(offsets.tolist(), affinity, strict=True):
            for y in range(10):
                for x in range(13):
                    inside = y + dy < 10 and 0 <= x + dx < 13
                    value = affinity_of(features, (y, x), (y + dy, x + dx), "mean") if inside else 0
                    assert of_way[y, x] == pytest.approx(float(value), abs=1e-5)


@pytest.mark.parametrize("backbone", ["compact", "efficientnet_lite0", "resnet50", "vgg16"])
@pytest.mark.parametrize("frozen_stages", [1, 5])
def test_what_learns_has_a_gradient_and_nothing_else(backbone, frozen_stages):
    network = _network(backbone)
    groups = trainable_parameters(network, frozen_stages=frozen_stages)
    learning = {id(p) for group in groups.values() for p in group}
    assert bool(groups["backbone"]) == (frozen_stages < 5) and len(groups["head"]) == 4
    network.affinities(network(torch.randn(1, 3, 64, 64)), neighbours(2)).sum().backward()
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    resting = {id(p) for norm in norms for p in norm.parameters()}
    for name, parameter in network.named_parameters():
        assert (id(parameter) in learning) == (parameter.grad is not None), name
        assert not (id(parameter) in learning and id(parameter) in resting), name


def test_errors():
    network = _network()
    with pytest.raises(ValueError, match="unknown distance 'max': choose one of mean, sum"):
        _network(distance="max")
    with pytest.raises(ValueError, match="4 x 9 cells are too small for pairs within radius 5"):
        network.affinities(torch.zeros(1, 2, 4, 9), neighbours(5))
    with pytest.raises(ValueError, match="frozen_stages must be in"):
        trainable_parameters(network, frozen_stages=6)
    with pytest.raises(ValueError, match="uint8 images"):
        affinity_maps(network, np.zeros((8, 8, 3), np.uint8), neighbours(2))
    with pytest.raises(ValueError, match="eval"):
        affinity_maps(network.train(), _images(1, 8, 8), neighbours(2))
