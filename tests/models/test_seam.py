"""SEAM's classifier: the plain version, its gradients, official files, and one official step."""

import numpy as np
import pytest
import torch

from tests import golden
from tests.models.official_wide_resnet38 import official_shapes, official_tensors
from tests.references.seam_plain import competing_plain, spread_plain
from wsss.localize import advcam, cam
from wsss.losses.fsl import feature_similarity_loss
from wsss.losses.isl import sampled_loss
from wsss.losses.seam import (
    View,
    normalized_maps,
    seam_terms,
    seam_total,
    second_view,
    with_background,
)
from wsss.models import seam
from wsss.models.classifier import build_classifier
from wsss.models.seam import (
    SeamClassifier,
    competing_maps,
    resized,
    seam_from_official,
    spread,
)
from wsss.models.seam import build_classifier as build_seam_classifier

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def compact() -> SeamClassifier:
    torch.manual_seed(0)
    return build_seam_classifier("compact", num_classes=3, head_dropout=0.5).eval()


def random_maps(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def pictures(count=2, height=40, width=56):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def normalized(model, images):
    return model.normalize(torch.from_numpy(images).permute(0, 3, 1, 2))


# The correlation


def test_competing_maps_equal_the_plain_version():
    scores = random_maps(2, 3, 4, 5)
    # Equals of the largest, a class without a positive score, and an image without any.
    scores[0, :2, 1, 1] = scores[0, :2].amax((1, 2)).max() + 1
    scores[0, 2] = -scores[0, 2].abs()
    scores[1] = -1
    found = competing_maps(scores.requires_grad_())
    assert not found.requires_grad
    for maps, own in zip(found, scores.detach(), strict=True):
        np.testing.assert_allclose(maps.numpy(), competing_plain(own.numpy()), rtol=1e-12)
    assert (found[0, 1:3, 1, 1] > 0.9).all()
    assert found[1, 0].eq(1).all()


def test_spread_equals_the_plain_version():
    maps, features = random_maps(2, 3, 4, 5).abs(), random_maps(2, 6, 4, 5, seed=1)
    found = spread(maps, features)
    for b in range(2):
        expected = spread_plain(maps[b].numpy(), features[b].numpy())
        np.testing.assert_allclose(found[b].numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("at_once", [1, 100, 10_000])
def test_parts_change_neither_the_maps_nor_the_gradient(monkeypatch, at_once):
    maps = random_maps(2, 3, 4, 5).abs()
    features = random_maps(2, 6, 4, 5, seed=1).requires_grad_()
    results = []
    for limit in (2**24, at_once):
        monkeypatch.setattr(seam, "SIMILARITIES_PER_PASS", limit)
        found = spread(maps, features)
        results.append((found, *torch.autograd.grad(found.square().sum(), features)))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_properties_of_spreading():
    maps, features = random_maps(2, 3, 4, 5).abs(), random_maps(2, 6, 4, 5, seed=1)
    found = spread(maps, features)
    assert found.min() >= 0 and (found <= maps.amax((2, 3), keepdim=True)).all()
    torch.testing.assert_close(spread(maps.flip(3), features.flip(3)), found.flip(3))
    torch.testing.assert_close(spread(2 * maps, features), 2 * found)
    torch.testing.assert_close(spread(maps[:, [2, 0]], features), found[:, [2, 0]])
    # Only directions count, up to the 1e-5 beside the length.
    torch.testing.assert_close(spread(maps, 9 * features), found, rtol=1e-4, atol=1e-4)
    # Where all are alike, all are the mean; where none is like another, nothing moves.
    alike = spread(maps, torch.ones_like(features))
    torch.testing.assert_close(
        alike, maps.mean((2, 3), keepdim=True).expand_as(maps), rtol=1e-4, atol=0
    )
    unlike = torch.eye(20).double().view(1, 20, 4, 5).expand(2, -1, -1, -1)
    torch.testing.assert_close(spread(maps, unlike), maps, rtol=1e-4, atol=0)


# The classifier


@pytest.mark.parametrize("name", ["compact", "efficientnet_lite0", "resnet50", "vgg16"])
def test_every_backbone_gives_maps_of_one_size(name):
    torch.manual_seed(0)
    model = build_seam_classifier(name, num_classes=2, head_dropout=0.5).eval()
    x = normalized(model, pictures(1, 50, 67))
    with torch.no_grad():
        scores, refined = model.seam_maps(x)
        torch.testing.assert_close(scores, model.score_maps(x))
    assert refined.shape == (1, 3, *scores.shape[2:])
    assert refined.isfinite().all() and refined.min() >= 0 and refined.max() <= 1
    assert model.correlation.f9.weight.shape == (192, 195, 1, 1)


def test_refined_maps_teach_the_correlation_alone(compact):
    x = normalized(compact, pictures())
    compact.zero_grad()
    compact.seam_maps(x).refined.square().sum().backward()
    moved = {name.split(".")[0] for name, p in compact.named_parameters() if p.grad is not None}
    assert moved == {"correlation"}
    compact.zero_grad()
    compact.seam_maps(x).scores.sum().backward()
    moved = {name.split(".")[0] for name, p in compact.named_parameters() if p.grad is not None}
    assert moved == {"backbone", "head"}
    compact.zero_grad()


def test_the_head_drops_channels_in_training_only():
    torch.manual_seed(0)
    model = build_seam_classifier("compact", num_classes=2, head_dropout=1.0).eval()
    x = normalized(model, pictures(1))
    assert model.seam_maps(x).scores.any()
    assert not model.train().seam_maps(x).scores.any()


def test_localizers_of_a_plain_classifier_take_it_for_one(compact):
    plain = build_classifier("compact", num_classes=3)
    state = compact.state_dict()
    plain.load_state_dict({k: v for k, v in state.items() if not k.startswith("correlation.")})
    options = {
        "scales": (1.0, 0.5), "map_stride": 4, "alignment": "official", "batch_size": 4,
        "precision": "full",
    }  # fmt: skip
    climbing = {
        "steps": 2, "step_size": 0.08, "regularization_weight": 7.0, "score_threshold": 0.5,
        "half_scale_steps": "official", "accumulation": "official",
    }  # fmt: skip
    for localize, extra in ((cam.localize, {}), (advcam.localize, climbing)):
        found, expected = (
            localize(model, pictures(1), [np.array([0, 2])], **options, **extra)
            for model in (compact, plain)
        )
        np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": 0}, "at least one class, got num_classes=0"),
        ({"head_dropout": 1.5}, r"head's dropout is a probability in 0\.\.1, got 1\.5"),
        ({"backbone": "alexnet"}, "unknown backbone 'alexnet'"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    given = {"backbone": "compact", "num_classes": 2, "head_dropout": 0.5} | options
    with pytest.raises(ValueError, match=message):
        build_seam_classifier(given.pop("backbone"), **given)


# Official files


def official_state(outputs=4):
    shapes = official_shapes(outputs, seam=True)
    state = {name: torch.zeros(1).expand(shape) for name, shape in shapes.items()}
    rows = torch.arange(float(outputs)).view(-1, 1, 1, 1)
    return state | {"fc8.weight": rows.expand(shapes["fc8.weight"])}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_official_file(prefix):
    state = {prefix + name: tensor for name, tensor in official_state().items()}
    found = seam_from_official(state, num_classes=3)
    with torch.device("meta"):
        expected = build_seam_classifier("wide_resnet38", num_classes=3, head_dropout=0.5)
    assert {n: t.shape for n, t in found.items()} == {
        n: t.shape for n, t in expected.state_dict().items()
    }
    assert found["head.weight"][:, 7, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict.fromkeys(("f8_3.weight", "f8_4.weight", "f9.weight")), "lacks SEAM's pixel correla"),
        ({"f9.weight": None}, r"'f9\.weight' has shape none"),
        ({"fc8.weight": torch.zeros(3, 4096, 1, 1)}, "knows 2 foreground classes, but 3 are"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(changes, message):
    state = official_state() | changes
    state = {name: tensor for name, tensor in state.items() if tensor is not None}
    with pytest.raises(ValueError, match=message):
        seam_from_official(state, num_classes=3)


@pytest.mark.slow
def test_official_training_step():
    case = golden.load("hfpl_train_a")
    with torch.device("meta"):
        model = build_seam_classifier("wide_resnet38", num_classes=20, head_dropout=0.5)
    tensors = seam_from_official(official_tensors(case), num_classes=20)
    # In evaluation mode: dropout is off in the case, and normalisation always on its statistics.
    model.load_state_dict(tensors, assign=True)
    model.eval()
    for module in model.backbone.stage_modules()[0]:
        module.requires_grad_(False)
    labels = torch.from_numpy(case["in_label"])
    first = normalized(model, case["in_images"])
    second = second_view(first, scale=case.json["hyper"]["second_view_scale"])
    one, two = model.seam_maps(first), model.seam_maps(second)
    views = View(*one, (96, 96)), View(*two, (28, 28))
    assert_views(case, views)

    terms = seam_terms(*views, labels, hardest_fraction=0.2, pooling="official")
    drawn = sampled_loss(one.scores, labels, torch.from_numpy(case["in_sampled"]).long())
    share = case.json["hyper"]["loss_weight"]
    terms["classification_1"] = (1 - share) * terms["classification_1"] + share * drawn
    weights = {"minimum_weight": 1, "equivariance_weight": 1, "refinement_weight": 1}
    total = seam_total(terms, **weights)
    shapes = with_background(normalized_maps(one.scores) * labels[:, :, None, None])
    golden.assert_close(case, "out_norm_map", shapes.detach().numpy())
    colours = torch.from_numpy(case["in_images"]).permute(0, 3, 1, 2) / 255
    similarity = feature_similarity_loss(
        shapes, resized(colours, (12, 12)), mu=2.5, sigma=5.0, reach=None
    )
    terms |= {"drawn": drawn, "similarity": similarity, "total": total + similarity}
    official = {
        "cls1": "classification_1", "cls2": "classification_2", "cls_is": "drawn",
        "rvmin1": "minimum_1", "rvmin2": "minimum_2", "er": "equivariance",
        "ecr1": "refinement_1", "ecr2": "refinement_2", "fsl": "similarity", "total": "total",
    }  # fmt: skip
    for theirs, ours in official.items():
        golden.assert_close(case, f"out_loss_{theirs}", terms[ours].detach().numpy())
    (total + similarity).backward()
    assert_gradients(case, model)


def assert_views(case, views):
    for number, view in enumerate(views, start=1):
        own = case[f"out_scores{number}"][:, 1:]
        rules = case.json["outputs"][f"out_scores{number}"]
        np.testing.assert_allclose(
            view.scores.detach(), own, atol=rules["atol"], rtol=rules["rtol"]
        )
    first, second = (resized(v.refined.detach(), v.size).numpy() for v in views)
    golden.assert_close(case, "out_refined1_small", first[:, :, 3::8, 3::8])
    golden.assert_close(case, "out_refined2", second)


def assert_gradients(case, model):
    correlation, backbone = model.correlation, model.backbone
    golden.assert_close(case, "out_grad_f9", correlation.f9.weight.grad[:, :, 0, 0].numpy())
    layers = (
        *(correlation.f8_3, correlation.f8_4),
        *(backbone.get_submodule(n) for n in ("b5.conv_branch2a", "b7.conv_branch2b2")),
    )
    norms = [float(layer.weight.grad.norm()) for layer in layers]
    golden.assert_close(case, "out_grad_norms", np.array(norms, np.float32))
    # The background's row, which is not ours, has no gradient in the official step.
    assert not case["out_grad_fc8"][0].any()
    before = model.head.weight.detach().clone()
    group = case.json["hyper"]["param_groups"][2]
    optimizer = torch.optim.SGD([model.head.weight], **{k: group[k] for k in
                                ("lr", "momentum", "weight_decay")})  # fmt: skip
    optimizer.step()
    change = model.head.weight.detach() - before
    for output, found in (("grad_fc8", model.head.weight.grad), ("fc8_change", change)):
        rules = case.json["outputs"][f"out_{output}"]
        np.testing.assert_allclose(
            found[:, :256, 0, 0],
            case[f"out_{output}"][1:],
            atol=rules["atol"],
            rtol=rules["rtol"],
        )
