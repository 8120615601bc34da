"""L_RIB and its poolings by hand, and what they ignore."""

import math

import pytest
import torch

from wsss.losses.rib import pool_scores, present_score, rib_loss

LOGITS = torch.tensor([[1.0, -2.0, 5.0], [700.0, 3.0, 4.0]])
LABELS = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
# The largest scores are 4, -1 and 0.
MAPS = torch.tensor([[[[4.0, 1.0], [2.0, -3.0]], [[-1.0, -4.0], [-2.0, -8.0]], [[0.0, -1.0]] * 2]])
ALL = torch.ones(1, 3)


def pooled(pooling, threshold, maps=MAPS, labels=ALL):
    return pool_scores(maps, labels, pooling=pooling, score_threshold=threshold)


def test_the_loss_by_hand():
    assert float(present_score(LOGITS, LABELS)) == 1 - 2 + 700 + 4
    assert float(rib_loss(LOGITS, LABELS, margin=600, margin_form="official")) == -703
    assert float(rib_loss(LOGITS, LABELS, margin=600, margin_form="paper")) == -603
    assert float(rib_loss(LOGITS, LABELS, margin=0.5, margin_form="paper")) == -(
        0.5 - 2 + 0.5 + 0.5
    )


def test_only_present_classes_below_the_margin_learn():
    logits = LOGITS.clone().requires_grad_(True)
    rib_loss(logits, LABELS, margin=600, margin_form="paper").backward()
    assert logits.grad.tolist() == [[-1, -1, 0], [0, 0, -1]]


def test_the_poolings_by_hand():
    assert pooled("gap", 0.4).tolist() == [[1, -3.75, -0.5]]
    # Shares of class 0: 1, 0.25, 0.5, -0.75. Of class 1: 1, 4, 2, 8, so nothing is left. Of class
    # 2: no number, and minus infinity.
    assert pooled("gndp", 0.4).tolist() == [[(1 - 3) / 4, 0, -0.5]]
    assert pooled("gndp", 0.5).tolist() == [[(1 - 3) / 4, 0, -0.5]]
    # Rectified, and divided by a largest score below zero, shares are at most 0.
    assert pooled("gndrp", 0.4).tolist() == [[(1 - 3) / 2, -3.75, -0.5]]
    assert pooled("gndrp", 0.5).tolist() == [[(1 + 2 - 3) / 3, -3.75, -0.5]]


def test_the_mean_of_no_position_is_zero():
    maps = torch.full((1, 1, 2, 2), 3.0, requires_grad=True)
    found = pooled("gndrp", 0.4, maps, torch.ones(1, 1))
    found.sum().backward()
    assert found.tolist() == [[0.0]] and not maps.grad.any()


@pytest.mark.parametrize("pooling", ["gndp", "gndrp"])
def test_absent_classes_get_their_mean(pooling):
    labels = torch.tensor([[1.0, 0.0, 0.0]])
    found = pooled(pooling, 0.4, labels=labels)
    assert found[0, 1:].tolist() == [-3.75, -0.5]
    assert found[0, 0] == pooled(pooling, 0.4)[0, 0]


def test_what_is_left_out_has_no_gradient():
    maps = MAPS[:, :1].clone().requires_grad_(True)
    pooled("gndp", 0.4, maps, torch.ones(1, 1)).sum().backward()
    assert maps.grad.tolist() == [[[[0, 0.25], [0, 0.25]]]]


def test_every_image_is_compared_with_its_own_largest_score():
    generator = torch.Generator().manual_seed(0)
    maps, labels = torch.randn(5, 3, 4, 6, generator=generator), torch.ones(5, 3)
    for pooling in ("gap", "gndp", "gndrp"):
        alone = [pooled(pooling, 0.4, maps[n : n + 1], labels[:1]) for n in range(5)]
        torch.testing.assert_close(pooled(pooling, 0.4, maps, labels), torch.cat(alone))
        torch.testing.assert_close(
            pooled(pooling, 0.4, 7 * maps.flip(-1), labels), 7 * pooled(pooling, 0.4, maps, labels)
        )
        assert torch.equal(pooled("gndrp", 1.0, maps, labels), maps.sum((2, 3)) / 24)
        assert math.isfinite(float(pooled(pooling, 0.0, 0 * maps, labels).sum()))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"unknown margin_form 'other': choose one of official, p"):
        rib_loss(LOGITS, LABELS, margin=1, margin_form="other")
    with pytest.raises(
        ValueError, match=r"unknown pooling 'other': choose one of gap, gndp, gndrp"
    ):
        pooled("other", 0.4)
    with pytest.raises(ValueError, match=r"\(2, 3\) and image labels of shape \(2, 2\) differ"):
        present_score(LOGITS, LABELS[:, :2])
    with pytest.raises(ValueError, match=r"maps of shape \(1, 3, 2, 2\) do not fit .* \(2, 3\)"):
        pooled("gap", 0.4, labels=LABELS)
