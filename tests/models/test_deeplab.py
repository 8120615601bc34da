"""Tests of DeepLab-v2: structure, several scales, parameter groups, the official cases."""

import numpy as np
import pytest
import torch

from tests import golden
from tests.models.official_deeplab import official_segmenter
from wsss.losses.segmentation import multi_scale_losses, shrink_labels
from wsss.models.deeplab import MultiScale, build_segmenter, parameter_groups
from wsss.models.segmentation import predict_probabilities
from wsss.train.schedule import poly


def _compact(scales: tuple[float, ...] = (0.5, 0.75)) -> MultiScale:
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2", "compact", num_classes=4, atrous_rates=(1, 2), scales=scales
    )
    return segmenter.eval()


def _noise(count: int, height: int, width: int) -> np.ndarray:
    shape = (count, height, width, 3)
    return np.random.default_rng(height).integers(0, 256, shape, dtype=np.uint8)


def _pixels(segmenter: MultiScale, images: np.ndarray) -> torch.Tensor:
    return segmenter.normalize(torch.from_numpy(images).permute(0, 3, 1, 2))


def _probabilities(segmenter: MultiScale, image: np.ndarray, *, flip: bool = False) -> np.ndarray:
    options = {"scales": (1.0,), "flip": flip, "memory_gb": 1.0}
    return next(predict_probabilities(segmenter, image[None], **options))


def test_training_returns_every_scale_and_evaluation_their_maximum() -> None:
    segmenter = _compact()
    x = torch.rand(2, 3, 64, 48)
    largest = segmenter(x)
    segmenter.training = True  # batch norm stays in evaluation
    outputs = segmenter(x)
    assert [tuple(o.shape[2:]) for o in outputs] == [(8, 6), (4, 3), (6, 5), (8, 6)]
    assert torch.equal(outputs[3], largest)
    assert torch.all(largest >= outputs[0])


def test_without_further_scales_it_is_the_plain_network() -> None:
    segmenter = _compact(scales=())
    x = torch.rand(1, 3, 40, 40)
    assert torch.equal(segmenter(x), segmenter.base(x))


def test_normalize_orders_channels_as_the_backbone_wants() -> None:
    images = torch.tensor([130, 120, 110], dtype=torch.uint8).view(1, 3, 1, 1)
    compact = _compact().normalize(images).flatten()
    mean, std = np.array([0.485, 0.456, 0.406]) * 255, np.array([0.229, 0.224, 0.225]) * 255
    np.testing.assert_allclose(compact, (np.array([130, 120, 110]) - mean) / std, rtol=1e-5)


def test_frozen_batch_norm_is_not_trained() -> None:
    segmenter = _compact()
    groups = parameter_groups(
        segmenter, batch_norm="frozen", head_multiplier=10.0, weight_decay=5e-4
    )
    assert [g["multiplier"] for g in groups] == [1.0, 10.0, 20.0]
    assert [g["weight_decay"] for g in groups] == [5e-4, 5e-4, 0.0]
    assert all(parameter.ndim == 4 for group in groups[:2] for parameter in group["params"])
    segmenter.train()
    assert segmenter.base.head.training and not segmenter.base.backbone.bn1.training
    assert not segmenter.base.backbone.bn1.weight.requires_grad


def test_trained_batch_norm_covers_all_parameters_once() -> None:
    segmenter = _compact()
    groups = parameter_groups(
        segmenter, batch_norm="train", head_multiplier=10.0, weight_decay=5e-4
    )
    ids = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(ids) == sorted(id(parameter) for parameter in segmenter.parameters())
    assert segmenter.train().base.backbone.bn1.training


def test_a_few_steps_learn_one_image() -> None:
    rng = np.random.default_rng(8)
    images = rng.integers(0, 256, (2, 48, 48, 3)).astype(np.uint8)
    images[:, :, :24] //= 4
    labels = torch.zeros(2, 48, 48, dtype=torch.uint8)
    labels[:, :, :24] = 2
    segmenter = _compact()
    groups = parameter_groups(segmenter, batch_norm="train", head_multiplier=1.0, weight_decay=0.0)
    optimizer = torch.optim.SGD(groups, lr=0.02, momentum=0.9)
    segmenter.train()
    for _ in range(8):
        outputs = segmenter(_pixels(segmenter, images))
        losses = multi_scale_losses(outputs, labels, loss="cross_entropy", ignore_index=255)
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    probabilities = _probabilities(segmenter.eval(), images[0])
    assert np.mean(probabilities.argmax(0) == labels[0].numpy()) > 0.9


@pytest.mark.parametrize(
    "backbone", ["vgg16", pytest.param("wide_resnet38", marks=pytest.mark.slow)]
)
def test_learns_on_any_backbone(backbone: str) -> None:
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2", backbone, num_classes=4, atrous_rates=(2,), scales=(0.5,)
    )
    groups = parameter_groups(
        segmenter, batch_norm="frozen", head_multiplier=10.0, weight_decay=0.0
    )
    learned = [parameter for group in groups for parameter in group["params"]]
    layers = [m for m in segmenter.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(learned) == sum(len(list(layer.parameters())) for layer in layers)
    labels = torch.zeros(2, 48, 40, dtype=torch.uint8)
    labels[:, 10:30, 10:30] = 3
    outputs = segmenter.train()(_pixels(segmenter, _noise(2, 48, 40)))
    assert [tuple(o.shape[2:]) for o in outputs] == [(6, 5), (3, 3), (6, 5)]
    multi_scale_losses(outputs, labels, loss="cross_entropy", ignore_index=255).sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in learned)
    probabilities = _probabilities(segmenter.eval(), _noise(1, 33, 50)[0], flip=True)
    assert probabilities.shape == (4, 33, 50)
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)


def test_refuses() -> None:
    options = {"num_classes": 4, "atrous_rates": (1,), "scales": ()}
    with pytest.raises(KeyError, match="known: deeplab_v2"):
        build_segmenter("unet", "compact", **options)
    with pytest.raises(ValueError, match="unknown backbone"):
        build_segmenter("deeplab_v2", "vgg", **options)
    for wrong, message in [
        ({"num_classes": 1}, "num_classes is 1"),
        ({"atrous_rates": ()}, "atrous_rates"),
        ({"scales": (1.0,)}, "between 0 and 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            build_segmenter("deeplab_v2", "compact", **(options | wrong))
    with pytest.raises(KeyError, match="known: frozen, train"):
        parameter_groups(_compact(), batch_norm="thawed", head_multiplier=1.0, weight_decay=0.0)


@pytest.mark.slow
def test_network_is_official() -> None:
    case = golden.load("deeplab_net_a")
    segmenter, filled = official_segmenter(case, scales=case.json["hyper"]["scales"][1:])
    weights = case.json["weights"]
    assert len(filled) == weights["tensors_filled"]
    assert sum(values.size for values in filled.values()) == weights["values_filled"]
    x = _pixels(segmenter, case["in_image"][None])
    with torch.inference_mode():
        golden.assert_close(case, "out_base", segmenter.base(x))
        golden.assert_close(case, "out_msc", segmenter(x))
        segmenter.training = True  # batch norm stays in evaluation
        outputs = segmenter(x)
        segmenter.training = False
    golden.assert_close(case, "out_train_s050", outputs[1])
    golden.assert_close(case, "out_train_s075", outputs[2])
    probabilities = _probabilities(segmenter, case["in_image"])
    golden.assert_close(case, "out_label", probabilities.argmax(0).astype(np.uint8))


@pytest.mark.slow
def test_training_step_is_official() -> None:
    case = golden.load("deeplab_train_a")
    hyper = case.json["hyper"]
    segmenter, _ = official_segmenter(case, scales=(0.5, 0.75))
    groups = parameter_groups(
        segmenter, batch_norm="frozen", head_multiplier=10.0, weight_decay=hyper["weight_decay"]
    )
    assert [len(g["params"]) for g in groups] == [g["tensors"] for g in hyper["param_groups"]]
    for group in groups:
        group["lr"] = hyper["lr"] * group["multiplier"]
    assert [g["lr"] for g in groups] == pytest.approx(hyper["lr_groups_before"])
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=hyper["momentum"])
    branches = segmenter.base.head.branches
    before = branches[0].weight.detach().clone()
    segmenter.train()
    losses = []
    for image, labels in zip(case["in_images"], case["in_labels"], strict=True):
        outputs = segmenter(_pixels(segmenter, image[None]))
        losses.append(
            multi_scale_losses(
                outputs,
                torch.from_numpy(labels)[None],
                loss="cross_entropy",
                ignore_index=hyper["ignore"],
            )
        )
        (losses[-1].sum() / hyper["iter_size"]).backward()
    golden.assert_close(case, "out_losses", torch.stack(losses).detach())
    golden.assert_close(case, "out_loss", (torch.stack(losses).sum() / hyper["iter_size"]).detach())
    small = shrink_labels(torch.from_numpy(case["in_labels"]), outputs[1].shape[2:])
    golden.assert_close(case, "out_target_small", small)
    golden.assert_close(case, "out_grad_c0", branches[0].weight.grad[:, :256, 1, 1])
    golden.assert_close(case, "out_grad_bias", torch.stack([b.bias.grad for b in branches]))
    optimizer.step()
    change = (branches[0].weight.detach() - before)[:, :256, 1, 1]
    golden.assert_close(case, "out_c0_change", change)
    golden.assert_close(case, "out_bias_after", torch.stack([b.bias.detach() for b in branches]))
    rate = poly(1, base=hyper["lr"], steps=hyper["iter_max"], power=hyper["power"])
    assert [rate * g["multiplier"] for g in groups] == pytest.approx(hyper["lr_groups_after"])
