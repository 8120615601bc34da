"""The preset of ablations on the scenes: each variant is the demo's W-OoD but for what it says."""

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
    """What differs from the demo's `wood`, by the preset's own classifiers."""
    full, base = config["classifiers"]["wood"], load("config.yaml")["classifiers"]
    return {
        name: {key: value for key, value in options.items() if value != full[key]}
        for name, options in config["classifiers"].items()
        if name not in base
    }


def test_a_variant_is_the_demos_w_ood_but_for_what_it_says(config, changes):
    clusters = config["classifiers"]["wood"]["clusters"]
    for name, own in changes.items():
        if found := re.fullmatch(r"tau_(\d+)_(\d)_(\d+)", name):
            tau, whole, digits = found.groups()
            wanted = {"closest_fraction": int(tau) / 100, "lambda": float(f"{whole}.{digits}")}
            assert {"closest_fraction": 0.2, "lambda": 0.1, **own} == wanted
        elif found := re.fullmatch(r"wood_k_(\d+)", name):
            assert own == {"clusters": {**clusters, "clusters": int(found[1])}}
        elif found := re.fullmatch(r"wood_(\d+)", name):
            assert own == {"ood_set": f"hard_{found[1]}"}
            assert config["ood_sets"][f"hard_{found[1]}"]["size"] == int(found[1])
        elif found := re.fullmatch(r"wood_epoch_(\d)", name):
            assert own == {"stop_after_epochs": int(found[1])}
        else:
            assert len(own) == 1, name
    assert len({str(own) for own in changes.values()}) == len(changes)


def test_a_row_of_a_table_is_what_its_label_says(config):
    for label, chain in config["tables"]["tau_lambda"]["chains"].items():
        options = config["classifiers"][chain.split("/")[1]]
        tau = f"{options['closest_fraction']:.0%}".replace("%", " %")
        assert label == f"tau {tau}, lambda {options['lambda']:g}"
    for label, chain in config["tables"]["clusters"]["chains"].items():
        clusters = config["classifiers"][chain.split("/")[1]]["clusters"]
        if clusters["clustering"] == "kmeans":
            assert label == f"K-means, K {clusters['clusters']}"


def test_the_boxes_stand_at_the_sets_sizes(config):
    figure = config["figures"]["ood_sizes"]
    values = option_values(config, figure, "config.figures.ood_sizes")["ood_sets.size"]
    labels = {chain: label for label, chain in figure["chains"].items()}
    assert [str(value) for value in values.values()] == [labels[chain] for chain in values]


def test_a_figure_over_a_training_begins_with_f_in_and_ends_with_the_whole(config, changes):
    *between, last = list(config["diagnostics"]["planes"]["chains"].values())
    assert between[0] == "scenes/f_in" and last == "scenes/wood"
    stops = [changes[chain.split("/")[1]]["stop_after_epochs"] for chain in between[1:]]
    assert [*stops, config["classifiers"]["wood"]["epochs"]] == [1, 2, 3, 4]
