"""The multi-label loss by hand and against the framework's own."""

import math

import pytest
import torch

from wsss.losses.classification import classification_loss, soft_margin


def test_by_hand():
    """Logits of zero cost log 2; a logit of log 3 has probability 3/4."""
    logits = torch.tensor([[0.0, 0.0], [math.log(3), math.log(3)]])
    labels = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    expected = [math.log(2), (math.log(4 / 3) + math.log(4)) / 2]
    assert soft_margin(logits, labels).tolist() == pytest.approx(expected)


def test_equals_the_soft_margin_of_the_official_code_bases():
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(4, 7, generator=generator)
    labels = torch.randint(0, 2, (4, 7), generator=generator)
    official = torch.nn.functional.multilabel_soft_margin_loss(logits, labels.float())
    torch.testing.assert_close(classification_loss(logits, labels), official)


def test_large_logits_stay_finite():
    loss = classification_loss(torch.tensor([[1e4, -1e4]]), torch.tensor([[0.0, 1.0]]))
    assert float(loss) == pytest.approx(1e4)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and image labels of shape \(2, 4\) differ"):
        soft_margin(torch.zeros(2, 3), torch.zeros(2, 4))
