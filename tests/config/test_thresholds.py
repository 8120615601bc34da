"""Background thresholds in a config: numbers, ways, and ways with an offset."""

import pytest

from tests.config.test_combinations import changed, sentence
from tests.config.test_resolve import SCHEMA
from wsss.config.resolve import resolve_config
from wsss.config.thresholds import WAYS, offset_of, policy_of, threshold_of, way_of, with_thresholds

CHOSEN = {"otsu": 0.33, "expected_iou": 0.41}
LABELS = "refiners.irn.labels"


@pytest.mark.parametrize(
    ("setting", "way", "offset", "threshold"),
    [
        (0.15, None, 0.15, 0.15),
        (0, None, 0, 0.0),
        ("otsu", "otsu", 0.0, 0.33),
        ("expected_iou", "expected_iou", 0.0, 0.41),
        ("otsu + 0.15", "otsu", 0.15, 0.48),
        ("otsu-.1", "otsu", -0.1, 0.23),
        # Beyond what a map holds.
        ("otsu + 0.9", "otsu", 0.9, 1.0),
        ("expected_iou - 0.5", "expected_iou", -0.5, 0.0),
    ],
)
def test_settings_by_hand(setting, way, offset, threshold):
    assert way_of(setting) == way and policy_of(setting) == (way or "fixed")
    assert offset_of(setting) == offset
    found = threshold_of(setting, CHOSEN)
    assert isinstance(found, float) and found == threshold


def test_options_get_numbers():
    options = {"foreground_threshold": "otsu + 0.1", "background_threshold": 0.1, "iterations": 5}
    assert with_thresholds(options, CHOSEN) == {
        "foreground_threshold": 0.43, "background_threshold": 0.1, "iterations": 5,
    }  # fmt: skip
    assert with_thresholds({"iterations": 5}, {}) == {"iterations": 5}


@pytest.mark.parametrize("setting", ["otus", "otsu + x", "otsu + 1", "otsu 0.1", ""])
def test_what_is_no_threshold_is_refused(setting):
    with pytest.raises(ValueError, match="is no background threshold: write a number, or one of"):
        threshold_of(setting, CHOSEN)


def test_maps_that_tell_no_threshold_are_a_sentence():
    with pytest.raises(ValueError, match=r"no background threshold follows from these .* by otsu"):
        threshold_of("otsu", {})


# In a config


def ways_in(schema):
    return sorted(next(choice["enum"] for choice in schema["anyOf"] if "enum" in choice))


@pytest.mark.parametrize("name", ["localize.cam", "localize.advcam", "refine.seed", "refine.crf"])
def test_the_schema_knows_the_ways_and_takes_one_by_default(name):
    schema = SCHEMA["$defs"][name]["properties"]["background_threshold"]
    assert tuple(ways_in(schema)) == WAYS and schema["default"] == "otsu"


def test_tables_and_figures_know_the_ways():
    names = [("table", "threshold")] + [
        (f"figure.{name}", "threshold_policy")
        for name in ("metric_bars", "per_class_iou", "stage_progress")
    ]
    for name, key in names:
        schema = SCHEMA["$defs"][name]["properties"][key]
        assert set(schema["enum"]) == {"config", "fixed", *WAYS, "ground_truth"}
        assert schema["default"] == "config"


@pytest.mark.parametrize("value", [0.2, 0, "expected_iou"])
def test_numbers_and_ways_are_taken(value):
    config = resolve_config(changed({"localizers.cam.background_threshold": value}), SCHEMA)
    assert config["localizers"]["cam"]["background_threshold"] == value
    assert config["refiners"]["seed"]["background_threshold"] == "otsu"


@pytest.mark.parametrize("form", ["{} + 0.15", "{}+.15", "{} - 0.1", "{}"])
@pytest.mark.parametrize("way", WAYS)
def test_labels_may_be_relative(form, way):
    setting = form.format(way)
    changes = {"refiners.irn": {"method": "irn", "labels": {
        "foreground_threshold": f"{way} + 0.2", "background_threshold": setting}}}  # fmt: skip
    labels = resolve_config(changed(changes), SCHEMA)["refiners"]["irn"]["labels"]
    assert labels["background_threshold"] == setting and way_of(setting) == way


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"localizers.cam.background_threshold": "otsu + 0.1"},
         'config.localizers.cam.background_threshold is "otsu + 0.1", but allowed is number, at '
         'least 0, at most 1 or one of "otsu", "expected_iou"'),
        ({"localizers.cam.background_threshold": "0.15"},
         "; write it without quotes and with a point, 0.15"),
        ({"refiners.seed.background_threshold": 1.2},
         "config.refiners.seed.background_threshold is 1.2, but allowed is number, at least 0"),
        ({"refiners.cues": {"method": "cues", "background_threshold": 0.2}},
         "config.refiners.cues.background_threshold is 0.2 and foreground_threshold otsu + 0.15"),
        ({"refiners.cues": {"method": "cues", "background_threshold": "otsu + 0.2"}},
         "config.refiners.cues.background_threshold is otsu + 0.2, but allowed is at most "
         "foreground_threshold, otsu + 0.15"),
        ({"refiners.irn": {"method": "irn", "labels": {"foreground_threshold": "otsu + 0.15"}}},
         "config.refiners.irn.labels.background_threshold is 0.05 and foreground_threshold otsu + "
         "0.15, but which of them is lower only the maps tell: write two numbers, or one way"),
        ({"refiners.irn": {"method": "irn", "labels": {
            "foreground_threshold": "otsu", "background_threshold": "expected_iou"}}},
         "but which of them is lower only the maps tell"),
        ({"refiners.irn": {"method": "irn", "labels": {
            "foreground_threshold": "otsu - 0.1", "background_threshold": "otsu"}}},
         "config.refiners.irn.labels.background_threshold is otsu, but allowed is at most "
         "foreground_threshold, otsu - 0.1"),
        ({"tables.seeds.threshold": "fixed"},
         "config.tables.seeds.threshold is fixed, but the background_threshold of "
         "config.localizers.cam is otsu, no number: write config, or a number there"),
        ({"figures.steps": {"figure": "stage_progress", "title": "T", "threshold_policy": "fixed",
                            "chains": {"W-OoD": "scenes/wood/cam/seed/deeplab"}}},
         "config.figures.steps.threshold_policy is fixed, but the background_threshold of"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_before_any_job(changes, words):
    assert words in sentence(changes)


def test_a_table_of_a_later_stage_asks_for_no_threshold():
    table = {"title": "T", "stage": "pseudo_mask", "threshold": "fixed",
             "chains": {"W-OoD": "scenes/wood/cam/seed"}}  # fmt: skip
    config = resolve_config(changed({"tables.masks": table}), SCHEMA)
    assert config["tables"]["masks"]["threshold"] == "fixed"
    numbers = {"localizers.cam.background_threshold": 0.2, "tables.seeds.threshold": "fixed"}
    assert resolve_config(changed(numbers), SCHEMA)["tables"]["seeds"]["threshold"] == "fixed"
