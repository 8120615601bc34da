"""Options at the ends of what the schema allows: the methods still give finite results."""

import importlib
import inspect

import numpy as np
import pytest

from tests.config.test_values import SCHEMA
from tests.refine.test_psa import random_affinity
from tests.train.small import small_classifier
from wsss.config.thresholds import with_thresholds

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 33, 40, 3), dtype=np.uint8)
CLASS_IDS = [np.array([0]), np.array([0, 1])]
MAPS = RNG.random((2, 33, 40)).astype(np.float32)
# What the ways of choosing a threshold may find in the maps.
CHOSEN = {"otsu": 0.0, "expected_iou": 0.99}
# A climb of many steps is slow, and no different from one of three.
FIXED = {"steps": 3, "climb_steps": 3, "batch_size": 4}

# Other variants of a config.
CHOSEN_BY_NAME = {"start_from": None, "saliency": None}


class Beside:
    """One other image."""

    def __init__(self):
        self.kept = {}

    def draw(self, position, step, count, *, disjoint):
        return [0][:count]

    def class_ids(self, number):
        return np.array([1])

    def read(self, numbers):
        return [(number, IMAGES[1]) for number in numbers]


def localized(method, options):
    localize = importlib.import_module(f"wsss.localize.{method}").localize
    options.pop("background_threshold", None)
    given = [Beside()] if "others" in inspect.signature(localize).parameters else []
    return localize(small_classifier().eval(), IMAGES, CLASS_IDS, *given, **options)


def refined(method, options):
    refine = importlib.import_module(f"wsss.refine.{method}").refine
    if method == "saliency":
        mask = np.where(MAPS[0] > 0.5, 2, 0).astype(np.uint8)
        return [refine(mask, IMAGES[0, ..., 0], np.array([1]), **options)]
    maps = MAPS[:, :9, :10] if method == "irn" else MAPS
    extra = []
    if method == "irn":
        extra = [MAPS[0, :9, :10]]
    if method == "psa":
        extra = [random_affinity(options["radius"], 9, 10)]
    options = with_thresholds(options, CHOSEN)
    return [refine(IMAGES[0], maps, np.array([0, 1]), *extra, **options)]


def salient(kind, options):
    opencv = importlib.import_module(f"wsss.data.saliency.{kind}")
    return [opencv.saliency_map(IMAGES[0], **options)]


def schema_of(name):
    schema = SCHEMA["$defs"][name]["properties"]
    return schema["walk"]["properties"] if name in ("refine.irn", "refine.psa") else schema


def ends(schema):
    """The smallest and the largest value of an option, and every word of a choice."""
    if "anyOf" in schema:
        return [value for choice in schema["anyOf"] for value in ends(choice)]
    if "enum" in schema:
        return schema["enum"]
    if "items" in schema:
        return [[value] for value in ends(schema["items"])]
    low = schema.get("minimum", 1e-300)
    return [low, schema.get("maximum", np.nextafter(schema.get("exclusiveMaximum", 0), 0))]


CASES = [
    pytest.param(name, key, value, id=f"{name}.{key}={value}")
    for name in (
        "localize.cam",
        "localize.advcam",
        "localize.advcam_rib",
        "localize.rib",
        "refine.seed",
        "refine.crf",
        "refine.irn",
        "refine.saliency",
        "saliency.opencv",
        "refine.psa",
    )
    for key, schema in schema_of(name).items()
    if key not in FIXED | CHOSEN_BY_NAME
    for value in ends(schema)
]


@pytest.mark.parametrize(("name", "key", "value"), CASES)
def test_the_ends_of_an_option_give_finite_results(name, key, value):
    room, _, method = name.partition(".")
    options = {
        k: FIXED.get(k, schema.get("default"))
        for k, schema in schema_of(name).items()
        if k not in CHOSEN_BY_NAME
    }
    makes = {"localize": localized, "refine": refined, "saliency": salient}[room]
    found = makes(method, {**options, key: value})
    for result in found:
        assert result.size and np.isfinite(result).all()


def test_the_ends_of_most_options_are_tried():
    assert len(CASES) > 50
