"""Importance sampling loss: by hand, against the equations with loops, and official."""

import math

import numpy as np
import pytest
import torch

from tests import golden
from wsss.losses import isl

LABELS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def _maps(channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(2, channels, 3, 4, generator=generator, dtype=torch.float64)


def _posteriors(scores, posterior):
    """Eq. 5 or 14, (B, C, N)."""
    exponentials = np.exp(scores.detach().numpy())
    if posterior == "binomial":
        b = exponentials / (1 + exponentials)
    else:
        b = (exponentials / exponentials.sum(1, keepdims=True))[:, 1:]
    return b.reshape(*b.shape[:2], -1)


def _slow(scores, labels, *, posterior, offset, positions=None):
    """Eq. 8, 15 and 18 with loops; the expectation where no positions are given."""
    b, total = _posteriors(scores, posterior), 0.0
    for image in range(b.shape[0]):
        for c in range(b.shape[1]):
            weights = b[image, c] + offset
            y = float(labels[image, c])
            losses = [-y * math.log(p) - (1 - y) * math.log(1 - p) for p in b[image, c]]
            if positions is None:
                total += sum(w * v for w, v in zip(weights, losses, strict=True)) / weights.sum()
            else:
                drawn = positions[image, c].tolist()
                total += sum(losses[at] for at in drawn) / len(drawn)
    return total / labels.numel()


def _loss(scores, labels=LABELS, **changes):
    options = {
        "posterior": "binomial",
        "num_samples": None,
        "weight_offset": 1e-5,
        "generator": None,
        **changes,
    }
    return isl.importance_sampling_loss(scores, labels, **options)


def test_by_hand():
    """Two positions of probabilities 1/2 and 3/4 are drawn with weights 2 to 3."""
    scores = torch.tensor([0.0, math.log(3)]).view(1, 1, 1, 2)
    present = _loss(scores, torch.ones(1, 1), weight_offset=0.0)
    assert present.item() == pytest.approx(0.4 * math.log(2) + 0.6 * math.log(4 / 3))
    absent = _loss(scores, torch.zeros(1, 1), weight_offset=0.0)
    assert absent.item() == pytest.approx(0.4 * math.log(2) + 0.6 * math.log(4))
    even = _loss(scores, torch.zeros(1, 1), weight_offset=1e9)
    assert even.item() == pytest.approx((math.log(2) + math.log(4)) / 2)
    drawn = isl.sampled_loss(scores, torch.ones(1, 1), torch.tensor([[[1, 1, 0]]]))
    assert drawn.item() == pytest.approx((2 * math.log(4 / 3) + math.log(2)) / 3)


@pytest.mark.parametrize("posterior", isl.POSTERIORS)
@pytest.mark.parametrize("offset", [0.0, 1e-5, 0.3])
def test_equals_the_equations(posterior, offset):
    scores = _maps(3 if posterior == "binomial" else 4)
    expected = _slow(scores, LABELS, posterior=posterior, offset=offset)
    given = _loss(scores, posterior=posterior, weight_offset=offset)
    assert given.item() == pytest.approx(expected, rel=1e-12)
    logits = isl.posterior_logits(scores, posterior=posterior)
    np.testing.assert_allclose(logits.sigmoid().flatten(2), _posteriors(scores, posterior))
    positions = isl.draw_positions(
        logits, num_samples=7, weight_offset=offset, generator=torch.Generator().manual_seed(1)
    )
    drawn = _slow(scores, LABELS, posterior=posterior, offset=offset, positions=positions)
    assert isl.sampled_loss(logits, LABELS, positions).item() == pytest.approx(drawn, rel=1e-12)
    again = _loss(
        scores,
        posterior=posterior,
        weight_offset=offset,
        num_samples=7,
        generator=torch.Generator().manual_seed(1),
    )
    assert again.item() == pytest.approx(drawn, rel=1e-12)


@pytest.mark.parametrize("posterior", isl.POSTERIORS)
def test_gradient_equals_finite_differences_at_fixed_draws(posterior):
    scores = _maps(3 if posterior == "binomial" else 4).requires_grad_()
    positions = torch.randint(0, 12, (2, 3, 5), generator=torch.Generator().manual_seed(2))

    def loss(maps):
        logits = isl.posterior_logits(maps, posterior=posterior)
        return isl.sampled_loss(logits, LABELS, positions)

    assert torch.autograd.gradcheck(loss, scores)


def test_expected_gradient_is_that_of_single_positions_times_their_weights():
    scores = _maps().requires_grad_()
    (given,) = torch.autograd.grad(_loss(scores), scores)
    shares = torch.softmax(isl.log_weights(scores, weight_offset=1e-5), 2)
    expected = torch.zeros_like(scores)
    for at in range(12):
        positions = torch.full((2, 3, 1), at)
        loss = isl.sampled_loss(scores, LABELS, positions)
        expected += shares[..., at].view(2, 3, 1, 1) * torch.autograd.grad(loss, scores)[0]
    torch.testing.assert_close(given, expected)


def test_draws_are_distributed_as_the_weights_and_their_mean_is_the_expectation():
    scores, samples = _maps(), 40_000
    generator = torch.Generator().manual_seed(3)
    positions = isl.draw_positions(
        scores, num_samples=samples, weight_offset=0.05, generator=generator
    )
    b = _posteriors(scores, "binomial") + 0.05
    expected = b / b.sum(-1, keepdims=True)
    counts = torch.nn.functional.one_hot(positions, 12).sum(2) / samples
    # Five standard deviations of a share of 1/2.
    np.testing.assert_allclose(counts, expected, atol=5 * 0.5 / math.sqrt(samples))
    drawn = isl.sampled_loss(scores, LABELS, positions)
    assert drawn.item() == pytest.approx(_loss(scores, weight_offset=0.05).item(), rel=0.01)


def test_draws_repeat_with_the_seed_alone():
    draws = [
        isl.draw_positions(
            _maps().to(dtype),
            num_samples=50,
            weight_offset=1e-5,
            generator=torch.Generator().manual_seed(seed),
        )
        for seed, dtype in ((0, torch.float64), (0, torch.float32), (1, torch.float64))
    ]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert draws[0].dtype == torch.int64


def test_a_position_without_weight_is_never_drawn():
    scores = torch.full((1, 1, 1, 5), -1e5)
    scores[..., 2] = -20.0
    positions = isl.draw_positions(
        scores, num_samples=500, weight_offset=0.0, generator=torch.Generator().manual_seed(0)
    )
    assert (positions == 2).all()


@pytest.mark.parametrize("value", [-1e4, 1e4])
@pytest.mark.parametrize("posterior", isl.POSTERIORS)
@pytest.mark.parametrize("offset", [0.0, 1e-5])
def test_saturated_scores_stay_finite(value, posterior, offset):
    scores = torch.zeros(2, 4, 3, 4)
    scores[:, 1] = value
    scores.requires_grad_()
    labels = LABELS if posterior == "multinomial" else torch.cat([LABELS, LABELS[:, :1]], 1)
    loss = _loss(scores, labels, posterior=posterior, weight_offset=offset)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(scores.grad).all()


def test_a_certain_softmax_keeps_its_logit():
    """Where float32 knows only a share of 1, its logit still tells 30 from 60."""
    scores = torch.tensor([[0.0, 0.0], [30.0, 60.0]]).view(1, 2, 1, 2)
    logits = isl.posterior_logits(scores, posterior="multinomial")
    assert logits.flatten().tolist() == [30.0, 60.0]


def test_two_channels_of_softmax_are_one_sigmoid():
    scores = _maps(2)
    multinomial = _loss(scores, LABELS[:, :1], posterior="multinomial")
    binomial = _loss(scores[:, 1:] - scores[:, :1], LABELS[:, :1])
    torch.testing.assert_close(multinomial, binomial)


def test_flips_and_permutations_change_no_expectation():
    scores, order = _maps(), [2, 0, 1]
    for moved in (scores.flip(-1), scores.flip(-2), scores.transpose(-1, -2)):
        torch.testing.assert_close(_loss(moved), _loss(scores))
    torch.testing.assert_close(_loss(scores[:, order], LABELS[:, order]), _loss(scores))


def test_mixing():
    pooled, sampled = torch.tensor(1.0), torch.tensor(2.0)
    mixed = [isl.mix_losses(pooled, sampled, loss_weight=x).item() for x in (0, 0.2, 1)]
    assert mixed == pytest.approx([1, 1.2, 2])


def test_refuses():
    scores = _maps()
    for weight in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"loss_weight .* is not in 0\.\.1"):
            isl.mix_losses(scores, scores, loss_weight=weight)
    with pytest.raises(ValueError, match="unknown posterior 'softmax': choose one of binomial, mu"):
        _loss(scores, posterior="softmax")
    with pytest.raises(ValueError, match=r"\(2, 3\) are not \(images, classes, h, w\)"):
        _loss(LABELS)
    with pytest.raises(ValueError, match="needs a background channel"):
        _loss(scores[:, :1], posterior="multinomial")
    with pytest.raises(ValueError, match=r"image labels of shape \(2, 3\) do not fit foreground"):
        _loss(scores, posterior="multinomial")
    for offset in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="is not a finite number from 0"):
            _loss(scores, weight_offset=offset)
    with pytest.raises(ValueError, match=r"hand over a torch\.Generator"):
        _loss(scores, num_samples=10)
    with pytest.raises(ValueError, match="num_samples is 0"):
        _loss(scores, num_samples=0, generator=torch.Generator())
    with pytest.raises(ValueError, match=r"positions of shape \(2, 1, 4\) do not fit"):
        isl.sampled_loss(scores, LABELS, torch.zeros(2, 1, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="do not fit foreground maps"):
        isl.sampled_loss(scores, LABELS[:1], torch.zeros(2, 3, 4, dtype=torch.int64))


def test_half_precision_becomes_single():
    assert _loss(_maps().bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_official(dtype):
    case = golden.load("hfpl_prob_a")
    scores = torch.from_numpy(case["in_logits"]).to(dtype).requires_grad_()
    labels = torch.from_numpy(case["in_label"])[:, 1:]
    positions = torch.from_numpy(case["in_sampled"]).long()
    logits = isl.posterior_logits(scores[:, 1:], posterior="binomial")
    drawn = logits.flatten(2).gather(2, positions)
    golden.assert_close(case, "out_sampled_scores", drawn.detach().numpy())
    loss = isl.sampled_loss(logits, labels, positions)
    golden.assert_close(case, "out_is_loss", loss.detach().numpy())
    (gradient,) = torch.autograd.grad(loss, scores)
    golden.assert_close(case, "out_is_grad", gradient.numpy())
    expectation = _loss(scores[:, 1:], labels)
    golden.assert_close(case, "out_is_expectation", expectation.detach().numpy())


def test_official_training_step():
    case = golden.load("hfpl_train_a")
    scores, labels = torch.from_numpy(case["out_scores1"]), torch.from_numpy(case["in_label"])
    positions = torch.from_numpy(case["in_sampled"]).long()
    sampled = isl.sampled_loss(scores[:, 1:], labels, positions)
    golden.assert_close(case, "out_loss_cls_is", sampled.numpy())
    # The official network pools its maps at the size of the image.
    large = torch.nn.functional.interpolate(
        scores[:, 1:], case["in_images"].shape[1:3], mode="bilinear", align_corners=True
    )
    pooled = torch.nn.functional.multilabel_soft_margin_loss(large.mean((2, 3)), labels)
    mixed = isl.mix_losses(pooled, sampled, loss_weight=case.json["hyper"]["loss_weight"])
    golden.assert_close(case, "out_loss_cls1", mixed.numpy())
