"""The preset of ablations on the scenes: a variant is the demo's but for what it says."""

import re

import pytest
import yaml

from tests.config.test_resolve import SCHEMA
from tests.source import ROOT
from wsss.config.option_values import option_values
from wsss.config.resolve import extend_config, resolve_config


def load(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def config():
    return resolve_config(extend_config(load("config/scenes_ablations.yaml"), load), SCHEMA)


@pytest.fixture(scope="module")
def changes(config):
    """What differs from the demo's classifier of the same kind, by the preset's own classifiers."""
    classifiers, base = config["classifiers"], load("config.yaml")["classifiers"]
    found = {}
    for name in classifiers.keys() - base.keys():
        kind = re.match(r"f_in|plain|", name)[0] or "wood"
        demo = {**classifiers[kind], "threads": classifiers[name]["threads"]}
        options = classifiers[name].items()
        found[name] = {key: value for key, value in options if value != demo[key]}
    return found


def test_a_variant_is_the_demos_classifier_but_for_what_it_says(config, changes):
    clusters = config["classifiers"]["wood"]["clusters"]
    for name, own in changes.items():
        if found := re.fullmatch(r"tau_(\d+)_(\d)_(\d+)", name):
            tau, whole, digits = found.groups()
            wanted = {"closest_fraction": int(tau) / 100, "lambda": float(f"{whole}.{digits}")}
            assert {"closest_fraction": 0.2, "lambda": 0.1, **own} == wanted
        elif found := re.fullmatch(r"wood_k_(\d+)", name):
            assert own == {"clusters": {**clusters, "clusters": int(found[1])}}
        elif found := re.fullmatch(r"wood_(\d+)", name):
            assert own == {"ood_images": int(found[1])}
        elif found := re.fullmatch(r"f_in_(\d+)", name):
            assert own == {"training_images": int(found[1])}
        elif found := re.fullmatch(r"plain_(\d+)", name):
            wanted = {"start_from": f"f_in_{found[1]}", "training_images": int(found[1])}
            assert own == wanted
        elif found := re.fullmatch(r"wood_of_(\d+)", name):
            assert own.pop("ood_images") in (24, 96)
            wanted = {"start_from": f"f_in_{found[1]}", "training_images": int(found[1])}
            assert own == wanted
        elif found := re.fullmatch(r"wood_epoch_(\d)", name):
            assert own == {"stop_after_epochs": int(found[1])}
        else:
            assert len(own) == 1, name
    kinds = [(name.split("_")[0], str(own)) for name, own in changes.items()]
    assert len(set(kinds)) == len(kinds)


def test_where_the_sum_is_held_it_is_that_of_all_training_images(config):
    for chain in config["tables"]["ood_shares"]["chains"].values():
        options = config["classifiers"][chain.split("/")[1]]
        training = options["training_images"] or config["datasets"]["scenes"]["train"]
        assert training + options.get("ood_images", 0) == 800


def test_a_row_of_a_table_is_what_its_label_says(config):
    for label, chain in config["tables"]["tau_lambda"]["chains"].items():
        options = config["classifiers"][chain.split("/")[1]]
        tau = f"{options['closest_fraction']:.0%}".replace("%", " %")
        assert label == f"tau {tau}, lambda {options['lambda']:g}"
    for label, chain in config["tables"]["clusters"]["chains"].items():
        clusters = config["classifiers"][chain.split("/")[1]]["clusters"]
        if clusters["clustering"] == "kmeans":
            assert label == f"K-means, K {clusters['clusters']}"


@pytest.mark.parametrize("name", ["ood_sizes", "ood_shares"])
def test_the_boxes_stand_at_the_numbers_of_ood_images(config, name):
    figure = config["figures"][name]
    values = option_values(config, figure, f"config.figures.{name}")["classifiers.ood_images"]
    labels = {chain: label for label, chain in figure["chains"].items()}
    assert [str(value) for value in values.values()] == [labels[chain] for chain in values]


def test_a_figure_over_a_training_begins_with_f_in_and_ends_with_the_whole(config, changes):
    *between, last = list(config["diagnostics"]["planes"]["chains"].values())
    assert between[0] == "scenes/f_in" and last == "scenes/wood"
    stops = [changes[chain.split("/")[1]]["stop_after_epochs"] for chain in between[1:]]
    assert [*stops, config["classifiers"]["wood"]["epochs"]] == [1, 2, 3, 4]
