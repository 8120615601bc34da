import copy

import numpy as np
import pytest
import torch

from tests.localize.test_rib import OPTIONS as RIB
from tests.localize.test_rib import RECIPE, compact, plain_others, small_batch, small_others
from tests.references import rib_plain
from tests.references.advcam_plain import climb_pair, image_pair
from wsss.localize import advcam, advcam_rib, rib

torch.set_num_threads(1)
__all__ = ["compact"]
CLIMB = {
    "climbed_states": "last",
    "climb_steps": 4,
    "climb_step_size": 0.08,
    "regularization_weight": 7.0,
    "climb_score_threshold": 0.5,
    "half_scale_steps": "same",
}
OPTIONS = RIB | CLIMB | {"scales": (1.0, 0.5), "learning_rate": 1e-4}
IDS = [np.array([1, 3])]


def found(model, **changes):
    (maps,) = advcam_rib.localize(model, small_batch(1), IDS, small_others(), **(OPTIONS | changes))
    return maps


def plain(model, **changes):
    """The same from the plain versions of both, one class and one scale at a time."""
    options, image = OPTIONS | changes, small_batch(1)[0]
    given = plain_others(small_others(), 0, steps=options["steps"], count=3, size=24)
    kept = {key: options[key] for key in (*RECIPE, "scales", "least_learnt_scale")}
    states = rib_plain.rib_states(model, image, [1, 3], given, **kept)
    taken = [(copy.deepcopy(network), [*looked_at]) for network, looked_at in states]
    sums = {scale: torch.zeros(4, 1, 1, dtype=torch.float64) for scale in options["scales"]}
    for number, (network, scales) in enumerate(taken):
        climbs = options["climbed_states"] == "all" or number + 1 == len(taken)
        for scale in scales:
            maps = [
                climb_pair(
                    network, image_pair(network, image, scale), c,
                    options["climb_steps"] if climbs else 1, 0.08, 7.0, 0.5,
                )[0]
                for c in range(4)
            ]  # fmt: skip
            sums[scale] = sums[scale] + torch.stack(maps)
    return rib_plain.joined(sums, image.shape[:2], [1, 3])


CASES = {
    "last": {},
    "all": {"climbed_states": "all"},
    "paper": {"accumulation": "paper", "schedule": "constant"},
    "margin": {"margin": 1.5, "learning_rate": 3e-4, "steps": 6},
    "explosion": {"explosion_share": 0.85, "learning_rate": 3e-4, "steps": 6},
    "explosion, all": {
        "explosion_share": 0.85, "learning_rate": 3e-4, "steps": 6, "climbed_states": "all",
    },
    "softsign": {"loss": "softsign", "learning_rate": 1e-3},
    "one step": {"climb_steps": 1},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_equals_the_plain_versions(compact, case):
    maps = found(compact, batch_size=2, **CASES[case])
    np.testing.assert_allclose(maps, plain(compact, **CASES[case]), atol=1e-6)


def test_the_cases_are_different(compact):
    maps = [found(compact, **changes) for changes in CASES.values()]
    for number, one in enumerate(maps):
        assert all(np.abs(one - other).max() > 1e-5 for other in maps[:number])


@pytest.mark.parametrize("states", ["last", "all"])
def test_without_learning_it_is_advcam(compact, states):
    maps = found(compact, steps=1, climbed_states=states)
    shared = ("scales", "map_stride", "alignment", "batch_size", "precision", "half_scale_steps")
    (expected,) = advcam.localize(
        compact, small_batch(1), IDS,
        **{key: OPTIONS[key] for key in shared}, steps=4, step_size=0.08,
        regularization_weight=7.0, score_threshold=0.5, accumulation="plain",
    )  # fmt: skip
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_without_climbing_it_is_rib_where_all_positions_are_positive(compact):
    """Then Grad-CAM has the same share of CAM in both flips, of one scale and unmoved signs."""
    model = copy.deepcopy(compact)
    # Features are rectified, so scores are positive where the head's weights are.
    with torch.no_grad():
        model.head.weight.abs_().add_(0.1)
    changes = {"scales": (1.0,), "learning_rate": 1e-2, "margin": 1e6}
    maps = found(model, climb_steps=1, **changes)
    options = {key: OPTIONS[key] for key in RIB} | changes
    (expected,) = rib.localize(model, small_batch(1), IDS, small_others(), **options)
    # That share stands beside the 1e-5 of the maximum, too.
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    assert np.abs(maps - found(model, climb_steps=1, **(changes | {"steps": 1}))).max() > 1e-3


def test_a_word_that_is_not_known_is_refused(compact):
    with pytest.raises(ValueError, match="unknown climbed_states 'some': choose one of last, all"):
        found(compact, climbed_states="some")
    with pytest.raises(ValueError, match="unknown half_scale_steps 'some'"):
        found(compact, half_scale_steps="some")
