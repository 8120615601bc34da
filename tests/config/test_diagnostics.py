"""Diagnostics of a config, and figures over the values of options: what does not fit is told."""

import pytest

from tests.config.test_combinations import changed, sentence
from tests.config.test_resolve import SCHEMA
from wsss.config.diagnostics import depth_of, draw_options, measure_parameters, method_of
from wsss.config.option_values import option_values
from wsss.config.resolve import resolve_config

ADVCAM = {
    "localizers.few": {"method": "advcam", "steps": 4},
    "localizers.many": {"method": "advcam", "steps": 20, "regularization_weight": 0.5},
}


def diagnostic(kind, **options):
    chains = options.pop("chains", {"a": "scenes/wood/few"})
    own = {"diagnostic": kind, "title": "t", "chains": chains, **options}
    return {**ADVCAM, "diagnostics.one": own}


def over(figure="metric_over_option", **options):
    chains = options.pop("chains", {"four": "scenes/wood/few", "twenty": "scenes/wood/many"})
    return {**ADVCAM, "figures.one": {"figure": figure, "title": "t", "chains": chains, **options}}


def values(changes):
    config = resolve_config(changed(changes), SCHEMA)
    return option_values(config, config["figures"]["one"], "config.figures.one")


# What a kind says of itself


def test_what_a_kind_sees_is_read_off_its_code():
    assert measure_parameters("climbing_quality").given == (
        "model", "images", "labels", "masks", "advcam"
    )  # fmt: skip
    assert measure_parameters("climbing_quality").options == ("num_images", "example_seed")
    assert draw_options("climbing_quality") == ("noise_of",)
    assert [depth_of(kind) for kind in ("climbing_quality", "loss_landscape")] == [3, 2]
    assert [method_of(kind) for kind in ("climbing_quality", "loss_landscape")] == ["advcam", None]


# Diagnostics


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (diagnostic("climbing"), "diagnostics.one.diagnostic is \"climbing\", but allowed is"),
        (diagnostic("climbing_quality", noise_of="some"), "config.diagnostics.one.noise_of is"),
        (diagnostic("climbing_quality", chains={"a": "scenes/wood"}),
         "config.diagnostics.one.chains.a is \"scenes/wood\", but allowed is string, text that"),
        (diagnostic("climbing_quality", chains={"a": "scenes/wood/gone"}),
         "config.diagnostics.one.chains.a (scenes/wood/gone): 'gone' is not defined"),
        (diagnostic("climbing_quality", chains={"a": "scenes/wood/cam"}),
         "config.diagnostics.one.chains.a is 'scenes/wood/cam', but climbing_quality is about "
         "advcam, and config.localizers.cam is of method cam: name a localizer of advcam"),
        (diagnostic("loss_landscape", chains={"a": "scenes/wood/cam", "b": "scenes/wood/few"}),
         "config.diagnostics.one.chains names scenes/wood twice, which is all of a chain that "
         "loss_landscape sees: give it one label"),
        (diagnostic("pixel_amplification", least=0.5),
         "config.diagnostics.one.least is 0.5, but allowed is below discriminative, 0.5"),
        (diagnostic("climbing_trajectory", class_names=["cat"]),
         "config.diagnostics.one.chains.a (scenes/wood/few): class_names has 'cat', but the "
         "classes of scenes are aeroplane"),
        ({**diagnostic("climbing_quality", chains={"a": "open/f_in/few"}),
          "datasets.open": {"kind": "openimages"}},
         "config.diagnostics.one.chains.a (open/f_in/few): climbing_quality is measured on masks, "
         "but config.datasets.open of kind openimages has none: take it out"),
        (diagnostic("feature_planes", ood_set="gone"),
         "config.diagnostics.one.ood_set: 'gone' is not defined in config.ood_sets (there: "),
        ({**diagnostic("feature_planes", ood_set="random", chains={"a": "few/f_in"}),
          "ood_sets.random": {"kind": "random"}, "datasets.few": {"kind": "scenes", "ood": 0}},
         "config.diagnostics.one.chains.a (few/f_in): feature_planes shows OoD images, but "
         "config.datasets.few has no candidates: set its ood or pool"),
        ({**diagnostic("loss_landscape"), "diagnostics.curve": diagnostic("loss_landscape")[
            "diagnostics.one"]},
         "config.diagnostics.curve: config.figures has that name; take another"),
    ],
)  # fmt: skip
def test_a_diagnostic_that_cannot_be_is_told(changes, words):
    assert words in sentence(changes)


def test_a_chain_may_go_on_beyond_what_a_kind_sees():
    chains = {"a": "scenes/wood/few/seed/deeplab"}
    for kind in ("loss_landscape", "climbing_quality"):
        resolve_config(changed(diagnostic(kind, chains=chains)), SCHEMA)


def test_a_cut_run_measures_few_images():
    config = changed({**diagnostic("climbing_quality"), "cut": 2})
    cut = resolve_config(config, SCHEMA)["diagnostics"]["one"]
    assert cut["num_images"] == 24 and cut["caption"].startswith("CUT RUN")


# Values of options


def test_values_are_those_of_the_chains_links():
    found = values(over(option="localizers.steps", lines="localizers.regularization_weight"))
    few, many = "scenes/wood/few", "scenes/wood/many"
    assert found["localizers.steps"] == {few: 4, many: 20}
    assert found["localizers.regularization_weight"][many] == 0.5


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("classifiers", "wood"),
        ("classifiers.clusters.clusters", 50),
        ("ood_sets.kind", "oracle"),
        ("classifiers.initial_weights", None),
        ("datasets.size", None),
        ("label", "GAP"),
    ],
)
def test_the_value_of_an_option(option, value):
    chains = {"GAP: 4": "scenes/wood/few", "GAP: 20": "scenes/wood/many"}
    changes = over(
        "metric_grid", row_option=option, column_option="localizers.steps", chains=chains
    )
    if value is None:
        assert "config.figures.one.row_option is" in sentence(changes)
    else:
        assert set(values(changes)[option].values()) == {value}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (over(option="localizers.step"),
         "config.figures.one.option is 'localizers.step', but config.localizers.few has no option "
         "'step' (there: "),
        (over(option="refiners.iterations"),
         "config.figures.one.option is 'refiners.iterations', but scenes/wood/few has no such link "
         "(it has: datasets, classifiers, localizers, ood_sets)"),
        (over(option="localizers.scales"),
         "but config.localizers.few.scales is [1.0, 0.5, 1.5, 2.0]: name an option that is a "
         "number or a word"),
        (over(option="localizers.method"),
         "config.figures.one.chains: four and twenty both have localizers.method \"advcam\": draw "
         "them over a further option in which they differ, or take one out"),
        (over(option="localizers", logarithmic=True),
         "config.figures.one.logarithmic is true, but localizers of scenes/wood/few is \"few\", "
         "and a logarithmic axis needs numbers from 0 on"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_drawn_over_is_told(changes, words):
    assert words in sentence(changes)


def test_options_that_a_cut_makes_equal_are_no_mistake():
    found = values({**over(option="localizers.steps"), "cut": 2})
    assert set(found["localizers.steps"].values()) == {2}


def test_the_number_of_ood_images_is_what_the_config_asks_for():
    sets = {
        "few": {"kind": "oracle", "ranked_by": "f_in", "size": 20},
        "same": {"kind": "random", "same_size_as": "few", "size": 7},
    }
    trained = {name: {"method": "wood", "start_from": "f_in", "ood_set": name} for name in sets}
    chains = {name: f"scenes/{name}/cam" for name in ("f_in", "wood", *sets)}
    changes = {
        **{f"ood_sets.{name}": options for name, options in sets.items()},
        **{f"classifiers.{name}": options for name, options in trained.items()},
    }
    # Two chains of 20 images are runs of one box.
    found = values(changes | over("metric_boxes", option="ood_sets.size", chains=chains))
    assert list(found["ood_sets.size"].values()) == [0, "all", 20, 20]


def test_the_numbers_of_images_that_are_drawn():
    start = {"method": "wood", "start_from": "f_in", "ood_set": "hard"}
    chains = {name: f"scenes/{name}/cam" for name in ("f_in", "wood", "some")}
    changes = {"classifiers.some": {**start, "ood_images": 30, "training_images": 40}}
    for key, expected in (("ood_images", [0, "all", 30]), ("training_images", ["all", "all", 40])):
        option = f"classifiers.{key}"
        found = values(changes | over("metric_boxes", option=option, chains=chains))
        assert list(found[option].values()) == expected
