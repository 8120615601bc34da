"""Localizers of a plain classifier on classifiers that have more: it is a plain one to them."""

import copy

import numpy as np
import pytest
import torch

from tests.localize.test_advcam_rib import OPTIONS as CLIMBS_AND_TUNES
from tests.localize.test_rib import OPTIONS as TUNES
from tests.localize.test_rib import small_batch, small_others
from wsss.localize import advcam, advcam_rib, cam, rib
from wsss.localize._halves import Halves
from wsss.models.networks import build_network

LOOKS = {key: TUNES[key] for key in ("scales", "map_stride", "alignment", "batch_size")}
LOOKS |= {"precision": "full"}
CLIMBS = {
    "steps": 3, "step_size": 0.08, "regularization_weight": 7.0, "score_threshold": 0.5,
    "half_scale_steps": "official", "accumulation": "official",
}  # fmt: skip
LOCALIZERS = {
    "cam": (cam, [], LOOKS),
    "advcam": (advcam, [], LOOKS | CLIMBS),
    "rib": (rib, [small_others()], TUNES | {"learning_rate": 1e-3}),
    "advcam_rib": (advcam_rib, [small_others()], CLIMBS_AND_TUNES | {"learning_rate": 1e-3}),
}


def of_kind(kind):
    """Return a classifier of a kind, and a plain one with the same weights."""
    torch.manual_seed(0)
    # SEAM's head drops everything where nothing is evaluated.
    options = {"head_dropout": 1.0} if kind == "seam" else {}
    model = build_network(kind, "compact", num_classes=4, **options).train()
    plain = build_network("classifier", "compact", num_classes=4)
    state = model.state_dict()
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    return model, plain


@pytest.mark.parametrize("name", LOCALIZERS)
@pytest.mark.parametrize("kind", ["seam", "eps"])
def test_maps_are_those_of_a_plain_classifier(kind, name):
    method, others, options = LOCALIZERS[name]
    model, plain = of_kind(kind)
    before = copy.deepcopy(model.state_dict())
    ids = [np.array([1, 3]), np.array([0])]
    found, expected = (
        method.localize(each, small_batch(2), ids, *others, **options) for each in (model, plain)
    )
    for maps, wanted in zip(found, expected, strict=True):
        assert np.isfinite(maps).all() and maps.max() > 0.9
        assert np.array_equal(maps, wanted)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("kind", ["seam", "eps"])
def test_only_the_later_stages_and_the_head_learn(kind):
    model, plain = of_kind(kind)
    names, plain_names = (
        {name for name, p in Halves(m.eval(), precision="full").tuned.named_parameters()
         if p.requires_grad}
        for m in (model, plain)
    )  # fmt: skip
    assert names == plain_names
    assert {name.split(".")[1] for name in names} == {"layer3", "layer4", "weight"}
