"""Contract of every file in wsss/diagnose: rows of equal keys, the same every time, no traces."""

import importlib

import numpy as np
import pytest
import torch

from tests.config.test_values import SCHEMA
from tests.diagnose import small
from wsss.config.diagnostics import depth_of, measure_parameters

KINDS = sorted(
    name.removeprefix("diagnostic.") for name in SCHEMA["$defs"] if name.startswith("diagnostic.")
)
OF_CHAINS = [kind for kind in KINDS if depth_of(kind)]
# What would take long, or needs more images.
QUICK = {"points": 1, "perplexity": 2, "class_names": ["red", "green", "blue"]}


def options_of(kind):
    schema = SCHEMA["$defs"][f"diagnostic.{kind}"]["properties"]
    return {
        key: QUICK.get(key, schema[key].get("default")) for key in measure_parameters(kind).options
    }


def given(kind, model):
    """What the frame gives to a kind, of small images that show all classes alone."""
    everything = {
        "random_seed": 0,
        "model": model,
        "images": small.images(),
        "labels": small.labels(),
        "classes": small.CLASSES,
        "masks": small.masks(),
        "backgrounds": {"image0": {0: True}, "image3": {0: False}},
        "ood_images": {name: 255 - image for name, image in small.images().items()},
        "ood_labels": {f"image{n}": np.array([n % 3]) for n in range(7)},
        "localizer": small.ADVCAM,
        "advcam": small.ADVCAM,
    }
    return [everything[name] for name in measure_parameters(kind).given]


def measured(kind, model):
    measure = importlib.import_module(f"wsss.diagnose.{kind}").measure
    return list(measure(*given(kind, model), **options_of(kind)))


@pytest.mark.parametrize("kind", OF_CHAINS)
def test_rows_are_tidy_and_the_same_every_time(kind):
    model = small.model()
    first, second = measured(kind, model), measured(kind, model)
    assert first and all(row.keys() == first[0].keys() for row in first)
    assert not {"dataset", "classifier", "localizer", "random_seed"} & first[0].keys()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_equal(one, other)
    assert all(isinstance(value, int | float | str) for row in first for value in row.values())


@pytest.mark.parametrize("kind", OF_CHAINS)
def test_the_classifier_comes_back_as_it_was(kind):
    model = small.model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measured(kind, model)
    assert model.training and all(p.requires_grad for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
