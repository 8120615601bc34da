"""EPS's losses: by hand, against the plain version, and official."""

import numpy as np
import pytest
import torch

from tests import golden
from tests.references.eps_plain import saliency_loss_plain
from wsss.losses.eps import (
    eps_terms,
    resized_saliency,
    saliency_estimate,
    saliency_loss,
    selected_classes,
)

torch.set_num_threads(1)
CHOICE = {
    "selection": "adaptive",
    "overlap": "official",
    "overlap_threshold": 0.4,
    "background_classes": (),
}
OFFICIAL = {"lambda_": 0.5, **CHOICE}


def random_case(seed=0):
    """Scores whose classes have large maps, a saliency of their size, and labels, in float64."""
    generator = torch.Generator().manual_seed(seed)
    scores = 4 * torch.randn(3, 4, 5, 6, generator=generator).double()
    saliency = torch.rand(3, 5, 6, generator=generator).double()
    labels = torch.tensor([[1.0, 1, 0], [0, 0, 1], [1, 1, 1]]).double()
    return scores.requires_grad_(), saliency, labels


def test_official_loss_with_its_maps_and_gradient():
    case = golden.load("eps_loss_a")
    scores = torch.from_numpy(case["in_cam"]).requires_grad_()
    saliency, labels = (
        torch.from_numpy(case["in_saliency"])[:, 0],
        torch.from_numpy(case["in_label"]),
    )
    small = resized_saliency(saliency, scores)
    golden.assert_close(case, "out_saliency_small", small[:, None].numpy())
    probabilities = scores.detach().softmax(1)
    hyper = case.json["hyper"]
    choice = CHOICE | {"overlap_threshold": hyper["tau"]}
    selected = selected_classes(probabilities, small, labels, **choice)
    assert 0 < selected.sum() < labels.sum()
    maps = saliency_estimate(probabilities, selected, labels, lambda_=hyper["lam"])
    for name, found in zip(("fg_map", "bg_map", "sal_pred"), maps, strict=True):
        golden.assert_close(case, f"out_{name}", found[:, None].numpy())
    loss = saliency_loss(scores, saliency, labels, lambda_=hyper["lam"], **choice)
    golden.assert_close(case, "out_loss", loss.detach().numpy())
    loss.backward()
    golden.assert_close(case, "out_grad_cam", scores.grad.numpy())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("overlap", "per_position"), [("official", 1e-4), ("paper", 0.0)])
@pytest.mark.parametrize(("lambda_", "threshold"), [(0.5, 0.4), (0.9, 0.6), (1.0, 0.0)])
def test_equals_the_plain_version(seed, overlap, per_position, lambda_, threshold):
    scores, saliency, labels = random_case(seed)
    options = {**CHOICE, "overlap": overlap, "overlap_threshold": threshold, "lambda_": lambda_}
    found = saliency_loss(scores, saliency, labels, **options)
    expected = saliency_loss_plain(
        *(t.detach().numpy() for t in (scores, saliency, labels)),
        lambda_=lambda_, threshold=threshold, per_position=per_position,
    )  # fmt: skip
    assert found.item() == pytest.approx(expected, rel=1e-10)


def four_positions():
    """Probabilities (1, 4, 1, 4) of three classes and background: two, one and no position."""
    maps = [
        [0.9, 0.8, 0.1, 0.1],
        [0.0, 0.1, 0.7, 0.2],
        [0.05, 0.05, 0.1, 0.5],
        [0.05, 0.05, 0.1, 0.2],
    ]
    return torch.tensor(maps).view(1, 4, 1, 4)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # Half of the first class's two positions, all of the second's one; 0.5 is not above 0.5.
        ({}, [True, True, False]),
        ({"overlap_threshold": 0.6}, [False, True, False]),
        # 1 / (2 + 4e-4) is below 0.49995, 1 / 2 above it.
        ({"overlap_threshold": 0.49995}, [False, True, False]),
        ({"overlap_threshold": 0.49995, "overlap": "paper"}, [True, True, False]),
        ({"overlap": "paper", "overlap_threshold": 0.0}, [True, True, False]),
        ({"selection": "naive"}, [True, True, True]),
        ({"selection": "predefined", "background_classes": (1,)}, [True, False, True]),
        ({"selection": "predefined"}, [True, True, True]),
        # Only the selection that uses them looks at them.
        ({"background_classes": (1,)}, [True, True, False]),
    ],
)
def test_selection_by_hand(change, expected):
    saliency = torch.tensor([[[0.9, 0.5, 0.6, 0.9]]])
    options = CHOICE | change
    found = selected_classes(four_positions(), saliency, torch.ones(1, 3), **options)
    assert found.tolist() == [expected]
    absent = selected_classes(four_positions(), saliency, torch.zeros(1, 3), **options)
    assert not absent.any()


def test_estimate_by_hand():
    labels, selected = torch.tensor([[1.0, 1, 0]]), torch.tensor([[True, False, False]])
    found = saliency_estimate(four_positions(), selected, labels, lambda_=0.25)
    np.testing.assert_allclose(found.foreground[0, 0], [0.9, 0.8, 0.1, 0.1])
    # The second class joins the background; the third, absent, is in neither.
    expected = [1 - 0.05 - 0.0, 1 - 0.05 - 0.1, 1 - 0.1 - 0.7, 1 - 0.2 - 0.2]
    np.testing.assert_allclose(found.not_background[0, 0], expected, rtol=1e-6)
    blend = 0.25 * found.foreground + 0.75 * found.not_background
    torch.testing.assert_close(found.blend, blend)


def test_naive_and_predefined_selections_by_hand():
    scores, saliency, labels = random_case()
    maps = scores.detach().softmax(1)
    own = maps[:, :3] * labels[:, :, None, None]
    naive = saliency_loss(scores, saliency, labels, **OFFICIAL | {"selection": "naive"})
    blend = (own.sum(1) + 1 - maps[:, 3]) / 2
    torch.testing.assert_close(naive.detach(), (saliency - blend).square().mean())
    options = OFFICIAL | {"selection": "predefined", "background_classes": [0]}
    predefined = saliency_loss(scores, saliency, labels, **options)
    blend = (own[:, 1:].sum(1) + 1 - maps[:, 3] - own[:, 0]) / 2
    torch.testing.assert_close(predefined.detach(), (saliency - blend).square().mean())


def test_an_image_that_is_its_saliency_has_no_loss():
    scores = torch.full((1, 3, 2, 2), -50.0)
    scores[0, 0, 0], scores[0, 2, 1] = 50.0, 50.0
    saliency = torch.tensor([[[1.0, 1], [0, 0]]])
    found = saliency_loss(scores, saliency, torch.tensor([[1.0, 0]]), **OFFICIAL)
    assert found.item() == pytest.approx(0, abs=1e-6)


def test_properties():
    scores, saliency, labels = random_case()
    expected = saliency_loss(scores, saliency, labels, **OFFICIAL)
    mirrored = saliency_loss(scores.flip(-1), saliency.flip(-1), labels, **OFFICIAL)
    torch.testing.assert_close(mirrored, expected)
    order, outputs = [2, 0, 1], [2, 0, 1, 3]
    permuted = saliency_loss(scores[:, outputs], saliency, labels[:, order], **OFFICIAL)
    torch.testing.assert_close(permuted, expected)
    shifted = saliency_loss(scores + 3, saliency, labels, **OFFICIAL)
    torch.testing.assert_close(shifted, expected)
    assert torch.autograd.gradcheck(
        lambda s: saliency_loss(s, saliency, labels, **OFFICIAL), scores
    )


def test_the_saliency_comes_to_the_size_of_the_maps_by_nearest_neighbours():
    saliency = torch.arange(24.0).view(1, 4, 6)
    found = resized_saliency(saliency, torch.zeros(1, 3, 2, 3, dtype=torch.float64))
    assert found.dtype == torch.float64
    assert found.tolist() == [[[0, 2, 4], [12, 14, 16]]]


def test_terms_and_what_learns_from_them():
    scores, saliency, labels = random_case()
    terms = eps_terms(scores, saliency, labels, **OFFICIAL)
    torch.testing.assert_close(
        terms["saliency"], saliency_loss(scores, saliency, labels, **OFFICIAL)
    )
    pooled = scores[:, :3].mean((2, 3))
    expected = torch.nn.functional.multilabel_soft_margin_loss(pooled, labels)
    torch.testing.assert_close(terms["classification"], expected)
    # The background learns from the saliency alone (eps sec. 3.3).
    gradients = {k: torch.autograd.grad(v, scores, retain_graph=True)[0] for k, v in terms.items()}
    assert not gradients["classification"][:, 3].any()
    assert gradients["saliency"][:, 3].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selection": "best"}, "unknown selection 'best': choose one of adaptive, naive, predef"),
        ({"overlap": "iou"}, "unknown overlap 'iou': choose one of official, paper"),
        (
            {"selection": "predefined", "background_classes": (0, 3)},
            r"background classes \[3\] are not among the 3 classes",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        eps_terms(*random_case(), **OFFICIAL | change)


@pytest.mark.parametrize("shapes", [
    ((3, 5, 5, 6), (3, 5, 6), (3, 3)), ((3, 4, 5, 6), (2, 5, 6), (3, 3)),
    ((3, 4, 5, 6), (3, 1, 5, 6), (3, 3)), ((3, 4), (3, 5, 6), (3, 3)),
])  # fmt: skip
@pytest.mark.parametrize("function", [eps_terms, saliency_loss])
def test_shapes_that_do_not_fit_are_refused(function, shapes):
    with pytest.raises(
        ValueError, match=r"score maps \(3, .* do not fit: give \(B, C \+ 1, h, w\)"
    ):
        function(*(torch.zeros(shape) for shape in shapes), **OFFICIAL)
