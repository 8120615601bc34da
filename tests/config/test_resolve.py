"""The config: defaults, errors, and the agreement of the schema with the library."""

import copy
from pathlib import Path

import pytest
import yaml

from tests.source import ROOT
from wsss.config.lookup import backbone_of, training_threads
from wsss.config.resolve import ConfigError, extend_config, resolve_config

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
CONFIGS = sorted(
    str(p.relative_to(ROOT)) for p in [ROOT / "config.yaml", *ROOT.glob("config/*.yaml")]
)

SMALL = {
    "datasets": {"scenes": {"kind": "scenes"}},
    "ood_sets": {
        "hard": {"kind": "oracle", "ranked_by": "f_in"},
        "random": {"kind": "random", "same_size_as": "hard"},
    },
    "classifiers": {
        "f_in": {"method": "plain", "backbone": "compact", "initial_weights": "none"},
        "wood": {"method": "wood", "start_from": "f_in", "ood_set": "hard"},
        "other": {"method": "wood", "start_from": "f_in", "ood_set": "random"},
    },
    "localizers": {"cam": {"method": "cam"}, "advcam": {"method": "advcam"}},
    "refiners": {"seed": {"method": "seed"}},
    "segmenters": {"deeplab": {"method": "deeplab_v2", "initial_weights": "none"}},
    "tables": {"seeds": {"title": "Seeds", "chains": {"W-OoD": "scenes/wood/cam"}}},
    "figures": {"curve": {"figure": "threshold_curve", "title": "Curve",
                          "chains": {"W-OoD": "scenes/wood/cam"}}},
    "panels": {"masks": {"panel": "masks", "title": "Masks",
                         "chains": {"W-OoD": "scenes/wood/cam/seed"}}},
}  # fmt: skip


def changed(path, value):
    """The small config with another value at a dotted path."""
    config = copy.deepcopy(SMALL)
    *groups, key = path.split(".")
    place = config
    for group in groups:
        place = place.setdefault(group, {})
    place[key] = value
    return config


def without(path):
    """The small config without a key."""
    config = changed(path, None)
    *groups, key = path.split(".")
    place = config
    for group in groups:
        place = place[group]
    del place[key]
    return config


def resolved(config):
    return resolve_config(config, SCHEMA)


def sentence(config):
    """The one sentence that a config is refused with."""
    with pytest.raises(ConfigError) as caught:
        resolved(config)
    text = str(caught.value)
    assert "\n" not in text
    return text


# Defaults


def test_defaults_are_filled_in():
    config = resolved(SMALL)
    assert config["random_seeds"] == [0]
    assert config["shards"] == {"train": 1, "val": 1, "test": 1, "ood": 1}
    assert config["datasets"]["scenes"]["train"] == 800
    assert config["classifiers"]["f_in"]["images"]["crop_size"] == 512
    assert config["classifiers"]["wood"]["lambda"] == 0.007
    assert config["classifiers"]["wood"]["clusters"]["clustering"] == "kmeans"
    assert config["segmenters"]["deeplab"]["inference"]["crf"]["iterations"] == 10
    assert config["localizers"]["cam"] != config["localizers"]["advcam"]


def test_what_the_user_wrote_wins_and_stays_as_it_was():
    config = changed("localizers.cam.scales", [2])
    before = copy.deepcopy(config)
    found = resolved(config)
    assert found["localizers"]["cam"]["scales"] == [2]
    found["localizers"]["cam"]["scales"].append(3)
    assert config == before


def test_variants_share_no_defaults():
    schema = copy.deepcopy(SCHEMA)
    config = resolved(SMALL)
    first, second = (config["localizers"][name]["scales"] for name in ("cam", "advcam"))
    first.append(9)
    config["classifiers"]["wood"]["images"]["crop_size"] = 1
    assert 9 not in second
    assert config["classifiers"]["other"]["images"]["crop_size"] == 512
    assert schema == SCHEMA
    assert resolved(SMALL)["localizers"]["cam"]["scales"] == second


def test_the_order_of_options_does_not_matter_and_that_of_variants_stays():
    config = changed("classifiers.wood", dict(reversed(SMALL["classifiers"]["wood"].items())))
    assert str(resolved(config)) == str(resolved(SMALL))
    explicit = changed("classifiers.wood.lambda", 0.007)
    assert str(resolved(explicit)) == str(resolved(SMALL))
    assert list(resolved(SMALL)["classifiers"]) == ["f_in", "wood", "other"]
    config = changed("classifiers", dict(reversed(SMALL["classifiers"].items())))
    assert list(resolved(config)["classifiers"]) == ["other", "wood", "f_in"]


def test_a_resolved_config_resolves_to_itself():
    config = resolved(SMALL)
    assert resolved(config) == config


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_of_the_project_resolves(name):
    config = extend_config(
        yaml.safe_load((ROOT / name).read_text("utf-8")),
        lambda base: yaml.safe_load((ROOT / base).read_text("utf-8")),
    )
    assert resolved(config)


def test_every_option_says_what_it_is():
    def check(schema, path):
        for key, sub in schema.get("properties", {}).items():
            assert sub.get("description"), f"{path}.{key} has no description"
            check(sub, f"{path}.{key}")
        if "properties" in schema:
            assert "additionalProperties" in schema, path

    top = {k: v for k, v in SCHEMA["properties"].items() if k in ("shards", "threads")}
    for name, schema in {**SCHEMA["$defs"], **top}.items():
        check(schema, name)


# Errors: the key's path, and what is allowed


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("localisers", {}, "config.localisers is not a known key; did you mean `localizers`?"),
        ("zebra", 1, "config.zebra is not a known key; Known here: "),
        ("localizers.cam.scale", [1], "config.localizers.cam.scale is not a known key; did"),
        ("localizers.cam.steps", 3, "config.localizers.cam.steps is not a known key"),
        ("random_seeds", 0, "config.random_seeds is 0, but allowed is array"),
        ("random_seeds", [0, 0], "config.random_seeds is [0, 0], but allowed is array"),
        ("random_seeds", [0, -1], "random_seeds[1] is -1, but allowed is integer, at least 0"),
        ("shards.train", 0, "config.shards.train is 0, but allowed is integer, at least 1"),
        ("shards.train", 1.5, "config.shards.train is 1.5, but allowed is integer"),
        ("shards.train", True, "config.shards.train is true, but allowed is integer"),
        ("shards", 3, "config.shards is 3, but a group of keys is needed here"),
        ("localizers.cam", None, "config.localizers.cam needs the key `method`: one of ad"),
        ("localizers.cam.method", "gradcam",
         'localizers.cam.method is "gradcam", but allowed is one of advcam, advcam_rib, cam'),
        ("localizers.cam.method", ["cam"], 'localizers.cam.method is ["cam"], but allowed is'),
        ("localizers.cam.scales", [], "config.localizers.cam.scales is [], but allowed is array"),
        ("localizers.cam.scales", ["a"], 'localizers.cam.scales[0] is "a", but allowed is num'),
        ("localizers.cam.alignment", "edges", 'but allowed is one of "official", "centres"'),
        ("classifiers.f_in.momentum", 1, "config.classifiers.f_in.momentum is 1, but allowed is"),
        ("classifiers.f_in.learning_rate", "1e-4",
         'is "1e-4", but allowed is number, above 0, at most 100 (Of the backbone, at its highest '
         "(IRN, official code)); write it without quotes and with a point, 0.0001: YAML takes"),
        ("classifiers.f_in.learning_rate", float("nan"), "learning_rate is NaN, but allowed is"),
        ("classifiers.f_in.learning_rate", float("inf"), "learning_rate is Infinity, but allowed"),
        ("classifiers.f_in.images.resize_long", [3], "images.resize_long is [3], but allowed is"),
        ("datasets.scenes.kind", "scene", 'config.datasets.scenes.kind is "scene", but allowed is'),
        ("datasets.scenes.classes", ["cow"], 'config.datasets.scenes.classes[0] is "cow", but'),
        ("datasets", {}, "config.datasets is empty, but at least one entry is needed"),
        ("localizers.Cam", {"method": "cam"}, "config.localizers: the name 'Cam' is not allowed"),
        ("datasets.logs", {"kind": "scenes"}, "config.datasets: the name 'logs' is not allowed"),
        ("localizers.a/b", {"method": "cam"}, "the name 'a/b' is not allowed, but string, text"),
        ("results", "/abroad", 'config.results is "/abroad", but allowed is'),
        ("tables.seeds.expected", {"W-OoD": {"miou": "x"}},
         'config.tables.seeds.expected.W-OoD.miou is "x", but allowed is number'),
    ],
)  # fmt: skip
def test_an_impossible_value_is_named_by_its_place(path, value, words):
    assert words in sentence(changed(path, value))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("datasets", "config.datasets is missing: object (Data sets by name)"),
        ("ood_sets.hard.ranked_by", "config.ood_sets.hard.ranked_by is missing: string"),
        ("classifiers.wood.ood_set", "config.classifiers.wood.ood_set is missing"),
        (
            "classifiers.wood.method",
            "config.classifiers.wood needs the key `method`: one of eps, f",
        ),
        ("tables.seeds.chains", "config.tables.seeds.chains is missing"),
    ],
)
def test_a_missing_key_is_named(path, words):
    assert words in sentence(without(path))


def test_keys_that_are_no_words():
    assert "name 7 is not allowed" in sentence(changed("localizers", {7: {"method": "cam"}}))
    assert "config.True is not a known key" in sentence({**SMALL, True: 1})


# Names that something else defines


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("tables.seeds.chains.W-OoD", "scenes/wod/cam",
         "config.tables.seeds.chains.W-OoD (scenes/wod/cam): 'wod' is not defined in "
         "config.classifiers (there: f_in, wood, other)"),
        ("tables.seeds.chains.W-OoD", "voc/wood/cam", "'voc' is not defined in config.datasets"),
        ("panels.masks.chains.W-OoD", "scenes/wood/cam/crf", "'crf' is not defined in config.ref"),
        ("tables.seeds.chains.W-OoD", "scenes", "config.tables.seeds.chains.W-OoD is"),
        ("classifiers.wood.ood_set", "soft",
         "config.classifiers.wood.ood_set: 'soft' is not defined in config.ood_sets (there: hard"),
        ("classifiers.wood.start_from", "f_out",
         "config.classifiers.wood.start_from: 'f_out' is not defined in config.classifiers"),
        ("ood_sets.hard.ranked_by", "f_out",
         "config.ood_sets.hard.ranked_by: 'f_out' is not defined in config.classifiers"),
        ("ood_sets.random.same_size_as", "soft",
         "config.ood_sets.random.same_size_as: 'soft' is not defined in config.ood_sets"),
        ("datasets.scenes.pool", "openimages",
         "config.datasets.scenes.pool: 'openimages' is not defined in config.datasets (there: "),
        ("classifiers.wood.excluded_class", "cow",
         "config.classifiers.wood.excluded_class is 'cow', but the classes of scenes are aero"),
    ],
)  # fmt: skip
def test_an_undefined_name_is_named_by_its_place(path, value, words):
    assert words in sentence(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("classifiers.f_in.start_from", "f_in",
         "config.classifiers.f_in.start_from closes a circle: f_in -> f_in"),
        ("classifiers.f_in.start_from", "wood",
         "config.classifiers.wood.start_from closes a circle: f_in -> wood -> f_in"),
        ("ood_sets.hard.ranked_by", "wood",
         "config.ood_sets.hard.ranked_by closes a circle: wood -> hard -> wood"),
        ("ood_sets.hard.same_size_as", "random", "closes a circle: hard -> random -> hard"),
        ("datasets.scenes.pool", "scenes", "config.datasets.scenes.pool closes a circle: scenes"),
    ],
)  # fmt: skip
def test_a_circle_is_refused(path, value, words):
    assert words in sentence(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("tables.seeds.stage", "pseudo_mask",
         "config.tables.seeds.chains.W-OoD is 'scenes/wood/cam', but a chain of 4 to 5 names is "
         "needed to show pseudo_mask"),
        ("figures.curve.chains.W-OoD", "scenes/wood",
         "a chain of 3 to 5 names is needed to show threshold_curve"),
        ("panels.masks.split", "val", "a chain of 5 names is needed to show masks of val"),
        ("panels.masks.chains.W-OoD", "scenes/wood/cam/seed/deeplab",
         "a chain of 4 names is needed to show masks of train"),
    ],
)  # fmt: skip
def test_a_chain_that_ends_too_early_is_refused(path, value, words):
    assert words in sentence(changed(path, value))


def test_a_panel_shows_one_data_set():
    config = changed("datasets.second", {"kind": "scenes"})
    config["panels"]["masks"]["chains"]["other"] = "second/wood/cam/seed"
    assert "config.panels.masks.chains are of several data sets" in sentence(config)


# Bases


def test_a_config_extends_another(tmp_path: Path):
    below = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "base": "lowest"}
    files = {"below": below, "lowest": {"a": {"z": 3}, "c": 4}}
    found = extend_config({"base": "below", "a": {"y": [3]}, "b": None}, files.__getitem__)
    assert found == {"a": {"x": 1, "y": [3], "z": 3}, "b": None, "c": 4}
    assert below == {"a": {"x": 1, "y": [1, 2]}, "b": 1, "base": "lowest"}


def test_a_base_that_cannot_be_read_or_comes_back_is_refused():
    with pytest.raises(ConfigError, match=r"config\.base closes a circle: a -> a"):
        extend_config({"base": "a"}, {"a": {"base": "a"}}.__getitem__)

    def load(path):
        raise FileNotFoundError(2, "No such file", path)

    with pytest.raises(ConfigError, match=r"config\.base is 'b\.yaml', which cannot be read"):
        extend_config({"base": "b.yaml"}, load)


def test_a_training_may_have_threads_of_its_own():
    own = {"fast": {"threads": 8}, "slow": {"threads": None}}
    config = {"threads": {"train": 2}, "classifiers": own}
    assert [training_threads(config, name) for name in own] == [8, 2]


def test_the_backbone_is_that_of_the_first_ancestor():
    config = resolved(SMALL)
    assert [backbone_of(config, name) for name in ("f_in", "wood")] == ["compact", "compact"]
