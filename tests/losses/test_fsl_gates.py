"""The predictions that the feature similarity loss compares, by hand and by their properties."""

import math

import pytest
import torch

from wsss.losses.fsl_gates import BACKGROUNDS, GATES, gate_predictions

SCORES = torch.tensor([[[[-1.0, 1.0], [2.0, 4.0]], [[3.0, 3.0], [3.0, 3.0]]]])
LABELS = torch.tensor([[1.0, 0.0]])


def _scores(seed=0, classes=3):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(2, classes, 5, 6, generator=generator, dtype=torch.float64)


def _gate(gate, background="none", scores=SCORES, labels=LABELS):
    return gate_predictions(scores, labels, gate=gate, background=background)


def test_by_hand():
    sigmoids = [1 / (1 + math.exp(-s)) for s in (-1.0, 1.0, 2.0, 4.0)]
    expected = {
        "max_paper": [0, 0.25, 0.5, 1],
        "max_official": [0, (1 - 1e-5) / 4.00001, (2 - 1e-5) / 4.00001, (4 - 1e-5) / 4.00001],
        "sigmoid": sigmoids,
        "scores": [-1, 1, 2, 4],
    }
    for gate, values in expected.items():
        maps = _gate(gate)
        assert maps.shape == SCORES.shape
        assert maps[0, 0].flatten().tolist() == pytest.approx(values, rel=1e-6)
        assert not maps[0, 1].any(), "an absent class takes no part"
    softmax = _gate("softmax", labels=LABELS[:, :1])
    assert softmax[0, 0, 1, 1].item() == pytest.approx(1 / (1 + math.exp(-1)))
    torch.testing.assert_close(softmax.sum(1), torch.ones(1, 2, 2))


@pytest.mark.parametrize("gate", ["max_official", "max_paper", "sigmoid"])
def test_background_is_the_complement(gate):
    labels = torch.tensor([[1, 0, 1], [0, 1, 0]])
    scores = _scores()
    maps = _gate(gate, "complement", scores, labels)
    foreground = _gate(gate, "none", scores, labels)
    torch.testing.assert_close(maps[:, 1:], foreground)
    torch.testing.assert_close(maps[:, 0], 1 - foreground.amax(1))
    assert maps.min() >= 0 and maps.max() <= 1


def test_the_official_form_takes_the_least_score_off():
    shifted = _scores().abs() + 7
    maps = _gate("max_official", scores=shifted, labels=torch.ones(2, 3))
    assert (maps.flatten(2).min(2).values == 0).all()
    assert (_gate("max_paper", scores=shifted, labels=torch.ones(2, 3)) > 0.3).all()


def test_max_gates_do_not_see_the_scale():
    scores, labels = _scores(), torch.ones(2, 3)
    for gate, tolerance in (("max_paper", 1e-12), ("max_official", 1e-4)):
        one, ten = (_gate(gate, scores=factor * scores, labels=labels) for factor in (1, 10))
        torch.testing.assert_close(one, ten, rtol=0, atol=tolerance)


@pytest.mark.parametrize("gate", ["max_official", "max_paper"])
@pytest.mark.parametrize("value", [-2.0, 0.0])
def test_a_map_without_positive_scores_is_zero_with_zero_gradient(gate, value):
    scores = torch.full((1, 2, 3, 3), value, requires_grad=True)
    maps = _gate(gate, scores=scores, labels=torch.ones(1, 2))
    maps.sum().backward()
    assert not maps.any() and not scores.grad.any()


@pytest.mark.parametrize("gate", ["max_official", "sigmoid", "softmax"])
def test_gradients_equal_finite_differences(gate):
    labels = torch.tensor([[1, 0], [1, 1]]) if gate == "softmax" else torch.ones(2, 3)
    assert torch.autograd.gradcheck(
        lambda scores: _gate(gate, scores=scores, labels=labels), _scores().requires_grad_()
    )


def test_gradient_of_the_paper_takes_the_largest_for_a_constant():
    scores = _scores().requires_grad_()
    maps = _gate("max_paper", scores=scores, labels=torch.ones(2, 3))
    (gradient,) = torch.autograd.grad((maps**2).sum() / 2, scores)
    largest = scores.detach().amax((2, 3), keepdim=True)
    torch.testing.assert_close(gradient, maps.detach() / largest)  # eq. 22, r_j = 0


def test_permuted_classes_permute_the_maps():
    scores, labels, order = _scores(), torch.tensor([[1, 0, 1], [0, 1, 1]]), [2, 0, 1]
    for gate in GATES[:-1]:
        torch.testing.assert_close(
            _gate(gate, scores=scores[:, order], labels=labels[:, order]),
            _gate(gate, scores=scores, labels=labels)[:, order],
        )


def test_half_precision_becomes_single():
    assert _gate("max_official", scores=SCORES.bfloat16()).dtype == torch.float32


def test_refuses():
    with pytest.raises(ValueError, match="unknown gate 'max': choose one of max_official, max_pap"):
        _gate("max")
    with pytest.raises(ValueError, match=f"choose one of {', '.join(BACKGROUNDS)}"):
        _gate("sigmoid", "white")
    for gate in ("scores", "softmax"):
        with pytest.raises(ValueError, match=f"{gate}' has no complement as background"):
            _gate(gate, "complement")
    with pytest.raises(ValueError, match=r"\(2, 2\) are not \(images, classes, h, w\)"):
        _gate("sigmoid", scores=torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r"image labels of shape \(1, 2\) do not fit"):
        _gate("sigmoid", scores=torch.zeros(1, 3, 2, 2))
    with pytest.raises(ValueError, match="a background channel before them"):
        _gate("softmax")
