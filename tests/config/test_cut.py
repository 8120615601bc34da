"""The key that cuts a run short: what becomes smaller, and that everything says so."""

import copy

import pytest
import yaml

from tests.config.test_resolve import CONFIGS, SCHEMA, SMALL, resolved, sentence
from tests.source import ROOT
from wsss.config.cut import DRAWN_IMAGES, IMAGES, MARK, OOD_IMAGES, SIDE
from wsss.config.resolve import extend_config, resolve_config


def load(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def of_file(name, **more):
    """A config of the project, resolved, with further keys."""
    return resolve_config(extend_config({**load(name), **more}, load), SCHEMA)


def numbers(value, path=""):
    """The numbers of a config by their path; those of lists as lists."""
    if isinstance(value, dict):
        return {
            k: v for key, sub in value.items() for k, v in numbers(sub, f"{path}.{key}").items()
        }
    found = value if isinstance(value, list) else [value]
    return {path: found} if found and all(type(one) in (int, float) for one in found) else {}


def test_without_the_key_nothing_changes():
    assert resolved(SMALL)["cut"] is None
    assert {**resolved({**SMALL, "cut": None})} == resolved(SMALL)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_of_the_project_can_be_cut(name):
    whole, cut = of_file(name), of_file(name, cut=2)
    assert cut["results"] == f"{whole['results']}-cut"
    assert {group: list(cut[group]) for group in ("classifiers", "tables", "figures")} == {
        group: list(whole[group]) for group in ("classifiers", "tables", "figures")
    }
    before, after = numbers(whole), numbers(cut)
    for path, value in after.items():
        if path == ".cut" or path.endswith("limit"):
            continue
        # A list that was cut to one scale is shorter.
        assert all(new <= old for new, old in zip(value, before[path], strict=False)), path


@pytest.mark.parametrize("name", CONFIGS)
def test_the_copy_beside_the_results_says_what_was_run(name):
    cut = of_file(name, cut=3)
    assert resolve_config(copy.deepcopy(cut), SCHEMA) == cut


@pytest.mark.parametrize("gpus", [1, 2, 4, 16, 64])
def test_trainings_have_as_many_steps_as_it_says(gpus):
    config = copy.deepcopy({**SMALL, "cut": 3, "gpus": {"train": gpus}})
    for options in config["classifiers"].values():
        options["images"] = {"batch_size": 64}
    config["classifiers"]["wood"] |= {"ood_batch_size": 64}
    config["classifiers"]["other"] |= {"ood_batch_size": 64}
    segmenter = config["segmenters"]["deeplab"]
    segmenter["training"] = {"images": {"batch_size": 64}}
    config["classifiers"]["wood"]["stop_after_epochs"] = 1
    cut = resolved(config)
    assert cut["classifiers"]["wood"]["stop_after_epochs"] <= cut["classifiers"]["wood"]["epochs"]
    for classifier in cut["classifiers"].values():
        batch = classifier["images"]["batch_size"]
        assert batch == min(64, 2 * gpus)
        assert max(1, round(classifier["epochs"] * max(1, IMAGES // batch))) <= 3
    training = cut["segmenters"]["deeplab"]["training"]
    assert training["iterations"] == 3 and training["images"]["batch_size"] == min(64, 2 * gpus)


def test_what_is_cut():
    config = copy.deepcopy(SMALL)
    config["refiners"]["irn"] = {"method": "irn"}
    config["localizers"]["advcam_rib"] = {"method": "advcam_rib"}
    config["ood_sets"]["manual"] = {"kind": "manual", "ranked_by": "f_in", "decisions": "d.csv",
                                    "wanted_per_class": 260, "size": 5190}  # fmt: skip
    config["shards"] = {"train": 20}
    config["datasets"]["voc"] = {"kind": "voc", "sbd": "data/SBD", "pool": "openimages"}
    config["datasets"]["openimages"] = {"kind": "openimages", "labelled_limit": 5}
    cut = resolved({**config, "cut": 2})
    assert cut["shards"] == {"train": 2, "val": 1, "test": 1, "ood": 1}
    assert cut["datasets"]["scenes"]["train"] == cut["datasets"]["voc"]["limit"] == IMAGES
    assert cut["datasets"]["openimages"]["labelled_limit"] == 5
    assert cut["datasets"]["voc"]["evaluate_train_on"] == "all"
    # A class of that name is no number of images.
    assert cut["datasets"]["openimages"]["classes"]["train"] == ["Train"]
    manual = cut["ood_sets"]["manual"]
    assert manual["kind"] == "none"
    assert not {"decisions", "wanted_per_class", "undecided"} & set(manual)
    assert manual["size"] == OOD_IMAGES and cut["ood_sets"]["hard"]["size"] is None
    assert manual["ranking"]["score_threshold"] == 0
    assert cut["classifiers"]["f_in"]["images"]["resize_long"] == [SIDE, SIDE]
    assert cut["classifiers"]["wood"]["clusters"] == {
        "clustering": "kmeans", "clusters": 5, "iterations": 2, "initialization": "first",
    }  # fmt: skip
    assert cut["classifiers"]["wood"]["learning_rate"] == 0.0001
    assert cut["localizers"]["advcam"]["steps"] == 2
    assert cut["localizers"]["cam"]["scales"] == [0.25]
    tuned = cut["localizers"]["advcam_rib"]
    assert (tuned["steps"], tuned["climb_steps"], tuned["other_images"]) == (2, 2, 2)
    assert tuned["other_size"] == SIDE and tuned["scales"] == [0.25]
    irn = cut["refiners"]["irn"]
    assert irn["labels"]["iterations"] == 2 and irn["training"]["epochs"] == 1
    assert irn["training"]["images"]["crop_size"] == SIDE and irn["crop_size"] == 512
    assert irn["walk"]["exp_times"] == 2 and irn["training"]["learning_rate"] == 0.0001
    segmenter = cut["segmenters"]["deeplab"]
    assert segmenter["inference"]["scales"] == [0.25] and segmenter["scales"] == [0.5, 0.75]
    assert segmenter["inference"]["crf"]["iterations"] == 2
    assert segmenter["training"]["images"]["scales"][-1] == 2.0
    for method in ("backbone", "initial_weights", "atrous_rates"):
        assert segmenter[method] == resolved(config)["segmenters"]["deeplab"][method]


def test_no_view_of_a_network_shrinks_to_nothing():
    config = copy.deepcopy(SMALL)
    config["segmenters"]["deeplab"]["scales"] = [0.2]
    cut = resolved({**config, "cut": 1})
    assert cut["segmenters"]["deeplab"]["inference"]["scales"] == [0.5]


def test_everything_that_is_shown_says_so():
    cut = resolved({**SMALL, "cut": 2, "title": "Scenes", "introduction": "About."})
    assert cut["title"] == f"{MARK}: Scenes"
    assert cut["introduction"].startswith(f"{MARK}, the numbers mean nothing: at most 2 steps")
    assert cut["introduction"].endswith("About.")
    for group in ("tables", "figures", "panels"):
        assert all(options["caption"].startswith(MARK) for options in cut[group].values())
    assert MARK not in str(resolved(SMALL))


def test_impossible_numbers_of_steps_are_refused():
    assert "config.cut is 0, but allowed is integer or null, at least 1" in sentence(
        {**SMALL, "cut": 0}
    )
    assert "config.cut is true, but allowed is" in sentence({**SMALL, "cut": True})


def test_random_passes_are_cut_like_steps():
    fickle = {"ficklenet": {"method": "ficklenet"}}
    cut = resolved({**SMALL, "localizers": {**SMALL["localizers"], **fickle}, "cut": 2})
    assert cut["localizers"]["ficklenet"]["passes"] == 2


def test_random_parts_are_parts_of_what_is_left():
    config = copy.deepcopy(SMALL)
    config["ood_sets"]["hard"]["size"] = 5190
    config["classifiers"]["wood"] |= {"training_images": 500, "ood_images": 5000}
    config["classifiers"]["other"]["ood_images"] = 2
    config["datasets"]["coco"] = {"kind": "coco", "val_fraction": 0.9}
    cut = resolved({**config, "cut": 2})
    own = cut["classifiers"]["wood"]
    assert own["training_images"] == own["ood_images"] == DRAWN_IMAGES < OOD_IMAGES
    assert cut["classifiers"]["other"]["ood_images"] == 2
    assert cut["classifiers"]["f_in"]["training_images"] is None
    # Of this data set so many train at least, however many are val.
    coco = cut["datasets"]["coco"]
    assert round(coco["limit"] * (1 - coco["val_fraction"])) >= DRAWN_IMAGES
