"""Feature similarity loss: by hand, against all pairs from the equations, and official."""

import math

import numpy as np
import pytest
import torch

from tests import golden
from tests.references.fsl_plain import feature_similarity_plain
from wsss.losses.fsl import dissimilarity, feature_similarity_loss, neglected_weight
from wsss.losses.fsl_gates import gate_predictions

PAPER = {"mu": 2.5, "sigma": 5.0, "reach": None}


def _maps(batch=2, classes=3, height=7, width=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    predictions = torch.rand(batch, classes, height, width, generator=generator).double()
    images = torch.rand(batch, 3, height, width, generator=generator).double()
    images[:, :, :3] = images[:, :, :1, :1] + 0.01 * images[:, :, :3]
    return predictions.requires_grad_(), images.clamp(0, 1)


def test_two_pixels_by_hand():
    predictions = torch.tensor([[[[1.0, 0.25]]]], requires_grad=True)
    images = torch.tensor([0.0, 0.6]).expand(1, 3, 1, 2)
    loss = feature_similarity_loss(predictions, images, mu=2.5, sigma=5.0, reach=None)
    weight = math.exp(-1 / 50) / (2 * math.pi * 25)
    f = math.tanh(2.5 + math.log(0.6 / 0.4))
    # Two ordered pairs, two pixels.
    assert loss.item() == pytest.approx(-weight * f * 0.75**2 / 2, rel=1e-4)
    loss.backward()
    assert predictions.grad.flatten().tolist() == pytest.approx(
        [-weight * f * 0.75, weight * f * 0.75], rel=1e-4
    )
    flat = feature_similarity_loss(predictions, images, mu=2.5, sigma=None, reach=1.0)
    assert flat.item() == pytest.approx(-f * 0.75**2 / 4, rel=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (7, 9), (5, 70)])
@pytest.mark.parametrize("reach", [None, 0.5, 1.0, 4.0, 3.7, 13**0.5, 19.0])
@pytest.mark.parametrize("sigma", [None, 2.0])
def test_equals_all_pairs_within_reach(size, reach, sigma):
    predictions, images = _maps(height=size[0], width=size[1])
    options = {"mu": 1.5, "sigma": sigma, "reach": reach}
    given = feature_similarity_loss(predictions, images, **options)
    expected = feature_similarity_plain(predictions, images, **options)
    torch.testing.assert_close(given, expected, rtol=1e-10, atol=1e-14)
    gradients = (torch.autograd.grad(3 * loss, predictions)[0] for loss in (given, expected))
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-13)


def test_gradient_equals_finite_differences():
    predictions, images = _maps(height=4, width=5)
    assert torch.autograd.gradcheck(
        lambda maps: feature_similarity_loss(maps, images, mu=2.5, sigma=2.0, reach=3.0),
        predictions,
    )


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_what_lies_beyond_the_reach_is_bounded(sigma):
    predictions, images = _maps(height=20, width=44)
    whole = feature_similarity_loss(predictions, images, mu=2.5, sigma=sigma, reach=None)
    for factor in (2, 3, 4, 5):
        cut = feature_similarity_loss(
            predictions, images, mu=2.5, sigma=sigma, reach=factor * sigma
        )
        # Three maps in 0..1 differ by at most 3 / 2. Pixels are not the plane: a tenth more.
        bound = 1.1 * 1.5 * neglected_weight(factor * sigma, sigma=sigma)
        assert abs(cut - whole) <= bound


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_neglected_weight_is_what_the_grid_leaves_out(factor):
    sigma = 5.0
    squared = torch.arange(-50, 51).double() ** 2
    squared = squared[:, None] + squared
    weights = torch.exp(-squared / (2 * sigma**2)) / (2 * math.pi * sigma**2)
    beyond = weights[squared > (factor * sigma) ** 2].sum().item()
    assert beyond == pytest.approx(neglected_weight(factor * sigma, sigma=sigma), rel=0.1)


def test_float32_is_as_good_as_float64():
    predictions, images = _maps(height=30, width=30)
    wide = feature_similarity_loss(predictions, images, **PAPER)
    narrow = feature_similarity_loss(predictions.float(), images.float(), **PAPER)
    assert narrow.dtype == torch.float32
    assert narrow.item() == pytest.approx(wide.item(), abs=1e-6)


def test_half_precision_is_computed_in_single():
    predictions, images = _maps()
    half = predictions.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = feature_similarity_loss(half, images, **PAPER)
    expected = feature_similarity_loss(half.detach().float(), images, **PAPER)
    torch.testing.assert_close(loss, expected, rtol=0, atol=0)
    loss.backward()
    assert half.grad.dtype == torch.bfloat16


def test_flips_transposition_and_permutations_change_nothing():
    predictions, images = _maps()
    loss = feature_similarity_loss(predictions, images, **PAPER)
    for move in (lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.transpose(-1, -2)):
        torch.testing.assert_close(
            feature_similarity_loss(move(predictions), move(images), **PAPER), loss
        )
    torch.testing.assert_close(
        feature_similarity_loss(predictions[:, [2, 0, 1]], images[:, [1, 2, 0]], **PAPER), loss
    )
    torch.testing.assert_close(
        feature_similarity_loss(predictions.flip(0), images.flip(0), **PAPER), loss
    )


def test_every_image_counts():
    predictions, images = _maps()
    parts = [
        feature_similarity_loss(predictions[i : i + 1], images[i : i + 1], **PAPER) for i in (0, 1)
    ]
    whole = feature_similarity_loss(predictions, images, **PAPER)
    torch.testing.assert_close(whole, sum(parts) / 2)
    one = feature_similarity_loss(2 * predictions + 1, images, **PAPER)
    torch.testing.assert_close(one, 4 * whole)


def test_equal_colours_ask_for_equal_predictions():
    predictions, images = _maps()
    grey = torch.full_like(images, 0.3)
    loss = feature_similarity_loss(predictions, grey, **PAPER)
    assert loss > 0
    even = torch.full_like(predictions, 0.7)
    assert feature_similarity_loss(even, images, **PAPER).item() == pytest.approx(0, abs=1e-15)
    black_white = (torch.arange(9) % 2).double().expand_as(images)
    assert feature_similarity_loss(black_white[:, :1], black_white, **PAPER) < 0


@pytest.mark.parametrize("mu", [-3.0, 0.0, 2.5, 7.0, 50.0, -1000.0, 1000.0])
def test_dissimilarity_is_the_hyperbolic_tangent(mu):
    difference = torch.linspace(0, 1, 201).double()
    colours = difference.expand(3, 201)
    given = dissimilarity(colours, torch.zeros_like(colours), mu=mu)
    expected = torch.tanh(mu + torch.log((difference + 1e-5) / (1 - difference + 1e-5)))
    torch.testing.assert_close(given, expected, rtol=1e-9, atol=1e-12)
    assert given.abs().max() <= 1
    single = dissimilarity(colours.float(), torch.zeros(3, 201), mu=mu)
    torch.testing.assert_close(single.double(), expected, rtol=0, atol=1e-5)


def test_colours_are_clamped():
    predictions, images = _maps()
    loss = feature_similarity_loss(predictions, 3 * images - 1, **PAPER)
    expected = feature_similarity_loss(predictions, (3 * images - 1).clamp(0, 1), **PAPER)
    assert loss == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.zeros(2, 3, 7, 8)}, r"\(2, 3, 7, 8\) do not fit predictions"),
        ({"images": torch.zeros(2, 1, 7, 9)}, "shrink them to"),
        ({"predictions": torch.zeros(7, 9)}, r"predictions of shape \(7, 9\)"),
        ({"predictions": torch.zeros(2, 0, 7, 9)}, "hold no value"),
        ({"mu": math.nan}, "mu nan is not a finite number"),
        ({"sigma": 0.0}, r"sigma 0\.0 is not a finite number above 0"),
        ({"reach": -1.0}, r"reach -1\.0 is not a finite number above 0"),
    ],
)
def test_refuses(change, message):
    predictions, images = _maps()
    options = {"predictions": predictions, "images": images, **PAPER, **change}
    with pytest.raises(ValueError, match=message):
        feature_similarity_loss(options.pop("predictions"), options.pop("images"), **options)


def _official_predictions(case, dtype):
    logits = torch.from_numpy(case["in_logits"]).to(dtype).requires_grad_()
    labels = torch.from_numpy(case["in_label"])[:, 1:]
    maps = gate_predictions(logits[:, 1:], labels, gate="max_official", background="complement")
    return logits, maps, torch.from_numpy(case["in_image01"]).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["paper", "nosigma", "fast"])
def test_official(name, dtype):
    case = golden.load("hfpl_prob_a")
    hyper = case.json["hyper"]
    logits, maps, images = _official_predictions(case, dtype)
    golden.assert_close(case, "out_norm_map", maps.detach().numpy())
    # The official fast mode sees the first of the two images only and divides by both.
    seen = 1 if name == "fast" else 2
    loss = feature_similarity_loss(
        maps[:seen],
        images[:seen],
        mu=hyper["fsl_mu"],
        sigma=None if name == "nosigma" else hyper["fsl_sigma"],
        reach=4.0 if name == "fast" else None,
    ) * (seen / 2)
    golden.assert_close(case, f"out_fsl_{name}", loss.detach().numpy())
    (gradient,) = torch.autograd.grad(loss, logits)
    golden.assert_close(case, f"out_fsl_{name}_grad", gradient.numpy())


@pytest.mark.parametrize("reach", [None, 25.0])
def test_official_training_step(reach):
    case = golden.load("hfpl_train_a")
    images = torch.from_numpy(case["in_images"]).permute(0, 3, 1, 2) / 255
    scores = torch.from_numpy(case["out_scores1"])
    maps = gate_predictions(
        scores[:, 1:],
        torch.from_numpy(case["in_label"]),
        gate="max_official",
        background="complement",
    )
    golden.assert_close(case, "out_norm_map", maps.numpy())
    small = torch.nn.functional.interpolate(
        images, scores.shape[2:], mode="bilinear", align_corners=True
    )
    hyper = case.json["hyper"]
    loss = feature_similarity_loss(
        maps, small, mu=hyper["fsl_mu"], sigma=hyper["fsl_sigma"], reach=reach
    )
    golden.assert_close(case, "out_loss_fsl", np.asarray(loss))
