import itertools

import numpy as np
import pytest
import torch

from tests import golden
from tests.localize.official import classifier
from tests.references import advcam_plain
from wsss.localize import advcam, cam
from wsss.localize._views import ScaleMaps, inference, joined_maps, score_maps, view_pairs
from wsss.models.classifier import Classifier, build_classifier

torch.set_num_threads(1)
CLIMB = {
    "precision": "full",
    "step_size": 0.08,
    "regularization_weight": 7.0,
    "score_threshold": 0.5,
}
OPTIONS = CLIMB | {
    "scales": (0.5, 1.0, 1.5, 2.0),
    "map_stride": 4,
    "alignment": "official",
    "batch_size": 16,
    "steps": 6,
    "half_scale_steps": "official",
    "accumulation": "official",
}


def small_batch(count: int = 3, height: int = 40, width: int = 56) -> np.ndarray:
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (count, -(-height // 8), -(-width // 8), 3))
    fine = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return np.clip(fine + generator.integers(-20, 20, fine.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def compact() -> Classifier:
    torch.manual_seed(0)
    model = build_classifier("compact", num_classes=4)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
    return model.double().eval()


def climbed(model, pairs, class_ids, steps):
    with inference(model):
        return list(advcam.climb(model, pairs, class_ids, steps=steps, **CLIMB))


def check_scale(case, model, scale, *, steps):
    """Check a scale's steps against the golden case; return the summed maps and the view's size."""
    keys = torch.as_tensor(case["out_keys"])
    pairs = view_pairs(model, case["in_image"][None], scale)
    # One step more than the official run takes shows the images after its last move.
    taken = climbed(model, pairs.expand(len(keys), -1, -1, -1, -1), keys, steps + 1)
    maps = torch.stack([s.maps[:, 0] + s.maps[:, 1].flip(-1) for s in taken[:-1]], dim=1)
    mean_scores = torch.stack([s.mean_scores for s in taken[:-1]], dim=1)
    golden.assert_close(case, f"out_regions_s{scale:g}", maps.numpy(), float64=True)
    golden.assert_close(case, f"out_logit_s{scale:g}", mean_scores.numpy(), float64=True)
    if scale == 0.5:
        for output, number in (("out_image_step1", 1), ("out_image_last", -1)):
            golden.assert_close(case, output, taken[number].pairs[0].numpy(), float64=True)
    return sum(s.maps for s in taken[:-1]), pairs.shape[-2:]


def first_gradient(model, pairs, class_ids):
    pairs = pairs.clone().requires_grad_(True)
    scores = score_maps(model, pairs.flatten(0, 1), precision="full").relu().unflatten(0, (-1, 2))
    maps = advcam.attribution(model, scores, class_ids)
    climbed = advcam.objective(
        scores, maps, maps.detach(), class_ids, regularization_weight=7.0, score_threshold=0.5
    )
    return torch.autograd.grad(climbed.sum(), pairs)[0]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("advcam_it6_a", marks=pytest.mark.slow),
        pytest.param("advcam_it27_a", marks=pytest.mark.very_slow),
    ],
)
def test_official_climb_in_float64(name):
    case = golden.load(name)
    model = classifier(name).double()
    hyper = case.json["hyper"]
    scale_maps = []
    for scale in hyper["order_of_scales_in_the_run"]:
        steps = advcam.steps_at(scale, steps=hyper["adv_iter"], half_scale_steps="official")
        assert scale != 0.5 or steps == hyper["iterations_used_at_scale_0.5"]
        maps, view_size = check_scale(case, model, scale, steps=steps)
        scale_maps.append(ScaleMaps(hyper["accumulation_factor_all_scales"] * maps, view_size))
    for output, map_stride in (("out_cam", 4), ("out_high_res", 1)):
        maps = joined_maps(
            scale_maps,
            image_size=case["in_image"].shape[:2],
            map_stride=map_stride,
            alignment="official",
            backbone=model.backbone,
        )
        golden.assert_close(case, output, maps.numpy(), float64=True)


@pytest.mark.parametrize("name", ["advcam_it27_a", "advcam_it6_a"])
def test_official_gradient_in_float64(name):
    case = golden.load(name)
    model = classifier(name).double()
    pairs = view_pairs(model, case["in_image"][None], 0.5)
    gradient = first_gradient(model, pairs, torch.as_tensor(case["out_keys"][:1]))[0]
    golden.assert_close(case, "out_grad_first", gradient.numpy(), float64=True)


@pytest.mark.slow
def test_official_maps_through_localize():
    case = golden.load("advcam_it6_a")
    model = classifier("advcam_it6_a").float()
    (maps,) = advcam.localize(model, case["in_image"][None], [case["out_keys"]], **OPTIONS)
    golden.assert_close(case, "out_cam", maps)


@pytest.mark.parametrize("name", ["advcam_it27_a", "advcam_it6_a"])
def test_official_first_step_in_float32(name):
    case = golden.load(name)
    model = classifier(name).float()
    keys = torch.as_tensor(case["out_keys"])
    for scale in case.json["hyper"]["scales"]:
        pairs = view_pairs(model, case["in_image"][None], scale).expand(len(keys), -1, -1, -1, -1)
        first = climbed(model, pairs, keys, 2 if scale == 0.5 else 1)
        maps = first[0].maps[:, 0] + first[0].maps[:, 1].flip(-1)
        expected = case[f"out_regions_s{scale:g}"]
        atol = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(maps.numpy(), expected[:, 0], rtol=1e-4, atol=atol)
        expected = case[f"out_logit_s{scale:g}"][:, 0]
        np.testing.assert_allclose(first[0].mean_scores.numpy(), expected, rtol=1e-4, atol=1e-4)
        if scale == 0.5:
            golden.assert_close(case, "out_image_step1", first[1].pairs[0].numpy())
            gradient = first_gradient(model, pairs[:1], keys[:1])[0]
            golden.assert_close(case, "out_grad_first", gradient.numpy())


@pytest.mark.parametrize("steps", [3, 12])
def test_equals_the_plain_version(compact, steps):
    image = small_batch(1, 33, 47)
    plain = {k: v for k, v in CLIMB.items() if k != "precision"}
    scales = [0.5, 1.0] if steps > 10 else [1.0, 0.5, 1.5]
    expected = advcam_plain.advcam_maps(
        compact, image[0], [1, 3], scales=scales, steps=steps, **plain
    )
    options = OPTIONS | {"steps": steps, "scales": scales}
    (maps,) = advcam.localize(compact, image, [np.array([1, 3])], **options)
    np.testing.assert_allclose(maps, expected, atol=2e-7)


@pytest.mark.parametrize("alignment", ["official", "centres"])
def test_batching_changes_nothing(compact, alignment):
    images = small_batch()
    ids = [np.array([2]), np.array([], np.int64), np.array([0, 3])]
    options = OPTIONS | {"alignment": alignment, "steps": 4, "scales": (0.5, 1.0)}
    together = advcam.localize(compact, images, ids, **options)
    assert [m.shape for m in together] == [(1, 10, 14), (0, 10, 14), (2, 10, 14)]
    order = [2, 0, 1]
    shuffled = advcam.localize(
        compact, images[order], [ids[i] for i in order], **(options | {"batch_size": 4})
    )
    for position, number in enumerate(order):
        np.testing.assert_allclose(shuffled[position], together[number], atol=1e-6)


def test_one_step_is_the_plain_class_map_up_to_the_images_weights(compact):
    """At step 1 AdvCAM is Grad-CAM, which for a pooled linear head is the class map, scaled."""
    image = small_batch(1)
    pairs = view_pairs(compact, image, 1.0)
    (first,) = climbed(compact, pairs, torch.tensor([1]), 1)
    scores = score_maps(compact, pairs[0], precision="full")[:, 1].relu().detach()
    for maps, expected in zip(first.maps[0], scores, strict=True):
        np.testing.assert_allclose(maps / maps.max(), expected / expected.max(), atol=1e-12)


def test_climbing_raises_the_own_score(compact):
    pairs = view_pairs(compact, small_batch(2), 1.0)
    taken = climbed(compact, pairs, torch.tensor([0, 2]), 8)
    for number, class_id in enumerate((0, 2)):
        own = [float(step.mean_scores[number, :, class_id].sum()) for step in taken]
        assert own[-1] > own[0]
    for before, after in itertools.pairwise(taken):
        assert (after.pairs - before.pairs).abs().max() <= 0.08 + 1e-12
        assert after.pairs.max() <= before.pairs.max()
        assert after.pairs.min() >= before.pairs.min()


def test_a_class_without_any_evidence_stays_zero_and_finite(compact):
    model = build_classifier("compact", num_classes=2).double()
    torch.nn.init.constant_(model.head.weight, -1.0)
    (maps,) = advcam.localize(model, small_batch(1), [np.array([0, 1])], **OPTIONS)
    assert (maps == 0).all()


def test_a_large_regularization_holds_the_map(compact):
    pairs = view_pairs(compact, small_batch(1), 1.0)
    drifts = []
    for weight in (0.0, 1e4):
        with inference(compact):
            options = CLIMB | {"regularization_weight": weight}
            taken = list(advcam.climb(compact, pairs, torch.tensor([1]), steps=8, **options))
        first = taken[0].maps
        drifts.append(float(((taken[-1].maps - first).abs() * (first > 0.5 * first.max())).sum()))
    assert drifts[1] < drifts[0]


@pytest.mark.parametrize(
    ("steps", "expected"), [(27, 13), (11, 5), (10, 5), (6, 5), (5, 5), (1, 1)]
)
def test_steps_at_half_scale(steps, expected):
    assert advcam.steps_at(0.5, steps=steps, half_scale_steps="official") == expected
    assert advcam.steps_at(0.5, steps=steps, half_scale_steps="same") == steps
    assert advcam.steps_at(1.0, steps=steps, half_scale_steps="official") == steps


def test_accumulation_matters_only_beside_the_maximum(compact):
    image = small_batch(1, 24, 24)
    options = OPTIONS | {"steps": 11, "scales": (0.5, 1.0)}
    (official,) = advcam.localize(compact, image, [np.array([1])], **options)
    (plain,) = advcam.localize(
        compact, image, [np.array([1])], **(options | {"accumulation": "plain"})
    )
    peak = plain.max()
    total = 1e-5 * peak / (1 - peak)
    assert official.max() == pytest.approx(2 * total / (2 * total + 1e-5), abs=1e-6)
    np.testing.assert_allclose(official / official.max(), plain / peak, atol=1e-6)


@pytest.mark.parametrize("option", ["accumulation", "half_scale_steps", "alignment", "precision"])
def test_unknown_choices_are_refused(compact, option):
    with pytest.raises(ValueError, match=f"unknown {option} 'other'"):
        advcam.localize(compact, small_batch(1), [[0]], **(OPTIONS | {option: "other"}))


def test_the_model_comes_back_as_it_was():
    model = build_classifier("compact", num_classes=2).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    advcam.localize(model, small_batch(1), [np.array([0])], **OPTIONS)
    assert model.training
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_zero_steps_of_regularisation_equal_plain_maps_of_cam(compact):
    """With one step per scale the only difference to CAM is the weight of each image and scale."""
    image = small_batch(1)
    options = OPTIONS | {"steps": 1, "scales": (1.0,)}
    (climbing,) = advcam.localize(compact, image, [np.array([1])], **options)
    shared = {k: options[k] for k in ("scales", "map_stride", "alignment", "batch_size")}
    (plain,) = cam.localize(compact, image, [np.array([1])], precision="full", **shared)
    assert np.corrcoef(climbing.ravel(), plain.ravel())[0, 1] > 0.99
