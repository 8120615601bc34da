"""Which saliency maps a chain depends on."""

import copy

import pytest

from tests.config.test_resolve import SMALL, resolved, sentence
from wsss.config.protocol import row_protocol
from wsss.config.saliency import Use, saliency_uses, uses_known_saliency

CHAIN = "scenes/f_in/cam/both/deeplab"
BOTH = [Use("refiners", "both", "known"), Use("refiners", "salient", "cv")]


def config(**groups):
    """The small config with maps of every kind and refiners that take some of each other."""
    own = copy.deepcopy(SMALL)
    own["saliency_maps"] = {
        "others": {"kind": "folder", "root": "data/pfan"},
        "cv": {"kind": "opencv", "method": "spectral_residual"},
        "known": {"kind": "known"},
    }
    own["refiners"] |= {
        "crf": {"method": "crf", "background_threshold": 0.2},
        "salient": {"method": "saliency", "start_from": "crf", "saliency": "cv"},
        "both": {"method": "saliency", "start_from": "salient", "saliency": "known",
                 "saliency_threshold": 0.3, "foreground_not_salient": "background",
                 "background_salient": "only_class"},
    }  # fmt: skip
    for group, variants in groups.items():
        own[group] |= variants
    return own


def eps(saliency):
    """A classifier that learns from saliency maps."""
    return {"method": "eps", "backbone": "compact", "initial_weights": "none", "saliency": saliency}


@pytest.mark.parametrize(
    ("chain", "stage", "uses"),
    [
        (CHAIN, "seed", []),
        (CHAIN, "pseudo_mask", BOTH),
        (CHAIN, "segmentation_crf", BOTH),
        ("scenes/f_in/cam/salient", "pseudo_mask", [Use("refiners", "salient", "cv")]),
        ("scenes/f_in/cam/crf", "pseudo_mask", []),
    ],
)  # fmt: skip
def test_a_chain_takes_the_maps_of_its_refiners(chain, stage, uses):
    assert saliency_uses(resolved(config()), chain, stage) == uses


def test_a_chain_takes_the_maps_of_all_classifiers_before_its_own():
    found = resolved(config(classifiers={"f_in": eps("known")}))
    own = Use("classifiers", "f_in", "known")
    for name in ("f_in", "wood", "other"):
        assert saliency_uses(found, f"scenes/{name}/cam", "seed") == [own]
        assert uses_known_saliency(found, f"scenes/{name}/cam", "seed")
    # It ranks the images that a classifier of another start is trained with.
    plain = {"method": "plain", "backbone": "compact", "initial_weights": "none"}
    third = {"method": "wood", "start_from": "apart", "ood_set": "hard"}
    found = resolved(config(classifiers={"f_in": eps("known"), "apart": plain, "third": third}))
    assert saliency_uses(found, "scenes/third/cam", "seed") == [own]
    assert saliency_uses(found, "scenes/apart/cam", "seed") == []


def test_only_the_kind_known_uses_pixel_labels():
    found = resolved(config(classifiers={"of_others": eps("others"), "of_known": eps("known")}))
    expected = {"f_in/cam/salient": False, "f_in/cam/both": True, "of_known/cam": True,
                "of_others/cam": False, "of_others/cam/both": True}  # fmt: skip
    for links, uses in expected.items():
        stage = "pseudo_mask" if links.count("/") == 2 else "seed"
        assert uses_known_saliency(found, f"scenes/{links}", stage) == uses, links
    assert not uses_known_saliency(found, "scenes/f_in/cam/both", "seed")


def test_many_ways_to_one_classifier_are_gone_once():
    sets, classifiers, before = {}, {}, "f_in"
    for number in range(20):
        sets[f"set{number}"] = {"kind": "none", "ranked_by": before}
        classifiers[f"wood{number}"] = {
            "method": "wood", "start_from": before, "ood_set": f"set{number}"
        }  # fmt: skip
        before = f"wood{number}"
    found = resolved(config(ood_sets=sets, classifiers={"f_in": eps("cv"), **classifiers}))
    assert saliency_uses(found, f"scenes/{before}/cam", "seed") == [
        Use("classifiers", "f_in", "cv")
    ]


# What is refused


@pytest.mark.parametrize(
    ("refiner", "words"),
    [
        ({"saliency": "pfan", "start_from": "crf"},
         "config.refiners.salient.saliency: 'pfan' is not defined in config.saliency_maps (there: "
         "others, cv, known)"),
        ({"saliency": "cv", "start_from": "irn"},
         "config.refiners.salient.start_from: 'irn' is not defined in config.refiners (there:"),
        ({"saliency": "cv", "start_from": "both"},
         "config.refiners.both.start_from closes a circle: salient -> both -> salient"),
        ({"saliency": "cv", "start_from": "salient"},
         "config.refiners.salient.start_from closes a circle: salient -> salient"),
        ({"saliency": "cv"}, "config.refiners.salient.start_from is missing"),
        ({"start_from": "crf"}, "config.refiners.salient.saliency is missing"),
    ],
)  # fmt: skip
def test_a_refiner_needs_maps_and_masks(refiner, words):
    own = config()
    own["refiners"]["salient"] = {"method": "saliency", **refiner}
    assert words in sentence(own)


def test_a_classifier_with_saliency_is_checked_as_a_refiner_is():
    words = "config.classifiers.f_in.saliency: 'typo' is not defined in config.saliency_maps"
    assert words in sentence(config(classifiers={"f_in": eps("typo")}))


def test_no_classifier_is_called_as_the_folder_of_maps():
    own = config()
    own["classifiers"]["saliency"] = own["classifiers"]["f_in"]
    assert "config.classifiers: the name 'saliency' is not allowed" in sentence(own)
    own = config(saliency_maps={"mine": {"kind": "pfan"}})
    assert "config.saliency_maps.mine.kind" in sentence(own)


# How a table says so


def test_the_protocol_names_maps_and_refiner():
    found = row_protocol(resolved(config()), CHAIN, "pseudo_mask")
    assert found["saliency"] == (
        "known (FROM PIXEL LABELS) against the masks of salient, salient above 0.3, foreground "
        "that is not: background, background that is: only_class; cv (OpenCV's spectral_residual "
        "scaled by otsu) against the masks of crf, salient above 0.5, foreground that is not: "
        "ignore, background that is: ignore; what is ignored counts as background here"
    )
    # Who made the masks.
    assert found["refiner_thresholds"] == "background_threshold 0.2"
    assert found["crf"].startswith("10 iterations on hard labels")
    later = row_protocol(resolved(config()), CHAIN, "segmentation")
    assert "counts as background" not in later["saliency"] and "known (FROM" in later["saliency"]
    assert row_protocol(resolved(config()), CHAIN, "seed")["saliency"] == ""


def test_the_protocol_names_what_a_classifier_learnt_from():
    found = resolved(config(classifiers={"f_in": eps("others")}))
    assert row_protocol(found, "scenes/wood/cam", "seed")["saliency"] == (
        "others (files of data/pfan) in the training of f_in"
    )
