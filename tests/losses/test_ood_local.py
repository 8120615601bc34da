import math

import pytest
import torch

from wsss.losses.ood_local import local_ood_loss


def test_by_hand():
    maps = torch.tensor([0.0, 1.0, -1.0, 2.0]).view(1, 2, 1, 2)
    expected = sum(math.log1p(math.exp(v)) for v in (0.0, 1.0, -1.0, 2.0)) / 4
    assert local_ood_loss(maps).item() == pytest.approx(expected)


def test_sees_a_position_that_the_mean_hides():
    flat = torch.zeros(1, 1, 1, 2)
    hidden = torch.tensor([5.0, -5.0]).view(1, 1, 1, 2)
    assert hidden.mean() == flat.mean()
    assert local_ood_loss(hidden) > local_ood_loss(flat)


def test_refuses_pooled_scores():
    with pytest.raises(ValueError, match=r"\(2, 3\) are not \(images, classes, h, w\)"):
        local_ood_loss(torch.zeros(2, 3))
