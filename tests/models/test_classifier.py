import pytest
import torch

from wsss.models.backbones.backbone import backbone_names, build_backbone
from wsss.models.classifier import build_classifier, set_batch_norm_frozen, trainable_parameters

torch.set_num_threads(1)


@pytest.fixture
def compact():
    torch.manual_seed(0)
    return build_classifier("compact", num_classes=3)


def images(count=2, height=24, width=40):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_are_the_mean_of_the_score_maps(compact, dtype):
    model = compact.eval().to(dtype)
    x = model.normalize(images())
    assert x.dtype == dtype
    scores = model.score_maps(x)
    assert scores.shape == (2, 3, 3, 5)
    torch.testing.assert_close(model(x), scores.mean((2, 3)))
    assert model.pooled_features(x).shape == (2, 128)
    torch.testing.assert_close(model.features(x).mean((2, 3)), model.pooled_features(x))


def test_normalize_by_hand(compact):
    pixel = torch.tensor([255, 0, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225]
    torch.testing.assert_close(compact.normalize(pixel).flatten(), torch.tensor(expected))
    torch.testing.assert_close(compact.normalize(pixel.float()), compact.normalize(pixel))


def test_normalize_turns_channels_for_a_bgr_backbone(compact, monkeypatch):
    expected = compact.normalize(images()).flip(1)
    monkeypatch.setattr(type(compact.backbone), "channel_order", "bgr")
    assert torch.equal(compact.normalize(images()), expected)


def test_frozen_batch_norm_survives_train(compact):
    before = compact.backbone.bn1.running_mean.clone()
    set_batch_norm_frozen(compact)
    compact.train()
    assert compact.training
    assert compact.head.training
    assert not compact.backbone.bn1.training
    compact(compact.normalize(images())).sum().backward()
    assert torch.equal(compact.backbone.bn1.running_mean, before)
    assert compact.backbone.bn1.weight.grad is not None


def test_batch_norm_learns_unless_frozen(compact):
    before = compact.backbone.bn1.running_mean.clone()
    compact.train()(compact.normalize(images()))
    assert not torch.equal(compact.backbone.bn1.running_mean, before)


def test_freezing_needs_a_backbone():
    with pytest.raises(ValueError, match="Linear has no backbone"):
        set_batch_norm_frozen(torch.nn.Linear(2, 2))


@pytest.mark.parametrize("frozen_stages", [0, 3, 5])
def test_trainable_parameters(compact, frozen_stages):
    groups = trainable_parameters(compact, frozen_stages=frozen_stages)
    compact.train()(compact.normalize(images())).sum().backward()
    for number, modules in enumerate(compact.backbone.stage_modules()):
        for parameter in (p for module in modules for p in module.parameters()):
            assert (parameter.grad is None) == (number < frozen_stages)
    assert all(p.grad is not None for p in groups["backbone"] + groups["head"])
    trained = {id(p) for p in groups["backbone"] + groups["head"]}
    assert trained == {id(p) for p in compact.parameters() if p.requires_grad}


def test_stages_hold_every_parameter_once():
    for name in backbone_names():
        with torch.device("meta"):
            backbone = build_backbone(name)
        held = [id(p) for stage in backbone.stage_modules() for m in stage for p in m.parameters()]
        assert sorted(held) == sorted(id(p) for p in backbone.parameters())


def test_errors(compact):
    with pytest.raises(ValueError, match=r"frozen_stages must be in 0\.\.5, got 6"):
        trainable_parameters(compact, frozen_stages=6)
    with pytest.raises(ValueError, match="at least one class"):
        build_classifier("compact", num_classes=0)
    with pytest.raises(ValueError, match="unknown backbone 'vgg': choose one of compact"):
        build_classifier("vgg", num_classes=1)
