"""What goes on from a classifier of a method of its own, and what reads its maps."""

import copy

import pytest

from tests.config.test_resolve import SCHEMA
from wsss.config.lookup import network_of, objective_of, saliency_of
from wsss.config.resolve import ConfigError, resolve_config

NEW = {"backbone": "compact", "initial_weights": "none"}
LOCALIZERS = ("cam", "advcam", "rib", "advcam_rib", "seam", "eps", "ficklenet")
CONFIG = {
    "datasets": {"scenes": {"kind": "scenes"}},
    "ood_sets": {"random": {"kind": "random"}},
    "saliency_maps": {"own": {"kind": "opencv"}, "other": {"kind": "opencv"}},
    "classifiers": {
        "plain": {"method": "plain", **NEW},
        "seam": {"method": "seam", "objective": {"minimum_weight": 0}, **NEW},
        "eps": {"method": "eps", "saliency": "own", **NEW},
        "ficklenet": {"method": "ficklenet", **NEW},
        "wood": {"method": "wood", "start_from": "seam", "ood_set": "random"},
        "wood_again": {"method": "wood", "start_from": "wood", "ood_set": "random"},
    },
    "localizers": {name: {"method": name} for name in LOCALIZERS},
    "tables": {"seeds": {"title": "Seeds", "chains": {"one": "scenes/seam/seam"}}},
}


def resolved(chain=None, **classifiers):
    config = copy.deepcopy(CONFIG)
    config["classifiers"] |= classifiers
    if chain:
        config["tables"]["seeds"]["chains"]["one"] = chain
    return resolve_config(config, SCHEMA)


def refused(words, *arguments, **classifiers):
    with pytest.raises(ConfigError) as caught:
        resolved(*arguments, **classifiers)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_what_goes_on_keeps_network_objective_and_saliency():
    config = resolved("scenes/wood_again/seam")
    for name in ("seam", "wood", "wood_again"):
        assert network_of(config, name) == "seam" and saliency_of(config, name) is None
        objective = objective_of(config, name)
        assert objective["name"] == "seam" and objective["options"]["minimum_weight"] == 0
    assert network_of(config, "plain") == "classifier"
    added = {"importance_sampling": None, "feature_similarity": None}
    assert objective_of(config, "plain") == {"name": "plain", "options": {}, **added}
    assert saliency_of(config, "eps") == "own"


def test_what_is_added_to_an_objective_is_a_trainings_own():
    wood = {**CONFIG["classifiers"]["wood"], "feature_similarity": {"weight": 0.5}}
    config = resolved(wood=wood)
    found = [objective_of(config, name) for name in ("seam", "wood", "wood_again")]
    assert [one["feature_similarity"] is None for one in found] == [True, False, True]
    assert found[1]["feature_similarity"]["weight"] == 0.5


CHAINS = ["seam/advcam", "eps/cam", "eps/eps", "ficklenet/cam", "ficklenet/rib"]


@pytest.mark.parametrize("chain", [f"scenes/{links}" for links in CHAINS])
def test_localizers_of_plain_classifiers_read_every_network(chain):
    resolved(chain)


def test_a_localizer_of_another_network_is_refused():
    refused(
        "config.tables.seeds.chains.one: config.localizers.seam of method seam needs a classifier "
        "of that method, but plain is of method plain: name another localizer",
        "scenes/plain/seam",
    )
    refused("config.localizers.eps of method eps needs a classifier", "scenes/wood/eps")
    refused("config.localizers.ficklenet of method ficklenet needs a", "scenes/plain/ficklenet")


def test_a_localizer_of_single_positions_is_refused_where_windows_are_scored():
    refused(
        "config.tables.seeds.chains.one: config.localizers.advcam of method advcam needs scores of "
        "single positions, but ficklenet of method ficklenet scores windows: name another",
        "scenes/ficklenet/advcam",
    )
    refused(
        "localizers.advcam_rib of method advcam_rib needs scores", "scenes/ficklenet/advcam_rib"
    )
    wood = {"method": "wood", "start_from": "ficklenet", "ood_set": "random"}
    refused("but more of method ficklenet scores windows", "scenes/more/advcam", more=wood)
    resolved("scenes/more/ficklenet", more=wood)


def test_a_window_has_a_centre():
    refused(
        "config.classifiers.more.network.kernel_size is 4, but a window with a centre has an odd "
        "side: write 5",
        more={"method": "ficklenet", "network": {"kernel_size": 4}, **NEW},
    )


def test_a_training_goes_on_from_its_own_method():
    refused(
        "config.classifiers.more.start_from is plain, a training of method plain, whose network "
        "is not that of seam: start from one of the same method",
        more={"method": "seam", "start_from": "plain", **NEW},
    )
    resolved(more={"method": "seam", "start_from": "seam", **NEW})


def test_a_training_that_goes_on_learns_from_the_same_saliency():
    more = {"method": "eps", "start_from": "eps", **NEW}
    refused(
        "config.classifiers.more.saliency is other, but a training that goes on from eps learns "
        "from the same maps, own: name these",
        more={**more, "saliency": "other"},
    )
    resolved(more={**more, "saliency": "own"})


def test_multinomial_posteriors_need_a_background_output():
    sampling = {"importance_sampling": {"posterior": "multinomial"}}
    refused(
        "config.classifiers.more.importance_sampling.posterior is multinomial, which needs a "
        "classifier with a background output (method eps), not one of method plain",
        more={"method": "plain", **NEW, **sampling},
    )
    resolved(more={"method": "eps", "saliency": "own", **NEW, **sampling})
    wood = {"method": "wood", "start_from": "eps", "ood_set": "random", **sampling}
    resolved(more=wood)


def test_background_classes_are_classes_of_the_data_set():
    objective = {"selection": "predefined", "background_classes": ["sofa"]}
    more = {"method": "eps", "saliency": "own", "objective": objective, **NEW}
    refused(
        "more has 'sofa' among its background_classes, but the classes of scenes are aeroplane",
        "scenes/more/eps",
        more=more,
    )


def test_a_second_view_keeps_some_pixels():
    refused(
        "config.classifiers.more.objective.second_scale is 0.01, which leaves less than 8 pixels "
        "of images.crop_size 448: raise one of them",
        more={"method": "seam", "objective": {"second_scale": 0.01}, **NEW},
    )
