"""Tests of the learning rate schedules."""

import warnings

import numpy as np
import pytest

from tests import golden
from wsss.train.schedule import learning_rate_at, one_cycle, poly, poly_in_stairs


def test_poly_by_hand() -> None:
    assert poly(0, base=0.1, steps=100, power=0.9) == 0.1
    assert poly(50, base=0.1, steps=100, power=0.9) == pytest.approx(0.1 * 0.5**0.9)
    assert poly(100, base=0.1, steps=100, power=0.9) == 0.0
    assert learning_rate_at(
        50, schedule="poly", base=0.1, steps=100, steps_per_epoch=10
    ) == pytest.approx(0.1 * 0.5**0.9)


def test_stairs_are_official() -> None:
    case = golden.load("deeplab_misc_a")
    hyper = case.json["hyper"]
    bases = [hyper["lr"] * multiple for multiple in (1, 10, 20)]
    rates = [
        [
            poly_in_stairs(
                step,
                base=base,
                steps=hyper["iter_max"],
                power=hyper["power"],
                update_every=hyper["update_every"],
            )
            for base in bases
        ]
        for step in range(hyper["iter_max"] + 1)
    ]
    golden.assert_close(case, "out_lr", np.array(rates))
    named = [
        learning_rate_at(
            step, schedule="poly_every_10", base=hyper["lr"], steps=400, steps_per_epoch=1
        )
        for step in range(400)
    ]
    np.testing.assert_allclose(named, case["out_lr"][:400, 0])


@pytest.mark.parametrize("steps", [10, 57, 300])
def test_one_cycle_equals_torch(steps: int) -> None:
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
        expected = []
        for _ in range(steps):
            expected.append(optimizer.param_groups[0]["lr"])
            if len(expected) < steps:
                reference.step()
    rates = [one_cycle(step, base=0.1, steps=steps) for step in range(steps)]
    np.testing.assert_allclose(rates, expected, rtol=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_one_cycle_of_few_steps_stays_in_range(steps: int) -> None:
    rates = [one_cycle(step, base=0.1, steps=steps) for step in range(steps)]
    assert all(0 <= rate <= 0.1 for rate in rates)
    assert max(rates) > 0.05


def test_constant() -> None:
    assert learning_rate_at(7, schedule="constant", base=0.3, steps=10, steps_per_epoch=1) == 0.3


def test_halved_every_10_epochs() -> None:
    options = {"schedule": "halved_every_10_epochs", "base": 0.4, "steps": 90, "steps_per_epoch": 3}
    rates = [learning_rate_at(step, **options) for step in range(90)]
    assert rates == [0.4] * 30 + [0.2] * 30 + [0.1] * 30


def test_refuses() -> None:
    with pytest.raises(KeyError, match="unknown schedule 'cosine'; known: constant"):
        learning_rate_at(0, schedule="cosine", base=0.1, steps=1, steps_per_epoch=1)
    with pytest.raises(ValueError, match="negative"):
        poly(-1, base=0.1, steps=1, power=0.9)
    with pytest.raises(ValueError, match="at least one step"):
        one_cycle(0, base=0.1, steps=0)
    with pytest.raises(ValueError, match="update_every is 0"):
        poly_in_stairs(0, base=0.1, steps=1, power=0.9, update_every=0)
