"""What follows from a resolved config; apart from its checks, whose code no result depends on."""

from collections.abc import Mapping
from typing import Any

# Losses that any classifier's training may add to its objective.
ADDED = ("importance_sampling", "feature_similarity")


def training_threads(config: Mapping[str, Any], classifier: str) -> int:
    """Return the CPU threads of a classifier's training.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    return config["classifiers"][classifier]["threads"] or config["threads"]["train"]


def first_of(config: Mapping[str, Any], classifier: str) -> Mapping[str, Any]:
    """Return the options of the classifier that a classifier's training began with.

    Its network, backbone and objective are those of all that go on from it.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    first: Mapping[str, Any] = config["classifiers"][trainings_of(config, classifier)[0]]
    return first


def trainings_of(config: Mapping[str, Any], classifier: str) -> list[str]:
    """Return the classifiers whose trainings follow one another, the last being the one named.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    names = [classifier]
    while (start := config["classifiers"][names[0]]["start_from"]) is not None:
        names.insert(0, start)
    return names


def first_refiner_of(config: Mapping[str, Any], refiner: str) -> str:
    """Return the name of the refiner that made the masks that a refiner begins with.

    Args:
        config: A resolved config.
        refiner: One of its refiners.
    """
    while "start_from" in config["refiners"][refiner]:
        refiner = config["refiners"][refiner]["start_from"]
    return refiner


def sized_set_of(config: Mapping[str, Any], ood_set: str) -> str:
    """Return the OoD set whose size counts for one: its own, or that whose size it takes over.

    Args:
        config: A resolved config.
        ood_set: One of its OoD sets.
    """
    while (other := config["ood_sets"][ood_set]["same_size_as"]) is not None:
        ood_set = other
    return ood_set


def backbone_of(config: Mapping[str, Any], classifier: str) -> str:
    """Return the backbone of a classifier: that of its first ancestor.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    return str(first_of(config, classifier)["backbone"])


def network_of(config: Mapping[str, Any], classifier: str) -> str:
    """Return the name of a classifier's network, a file of `wsss.models`.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    method = str(first_of(config, classifier)["method"])
    return "classifier" if method == "plain" else method


def objective_of(config: Mapping[str, Any], classifier: str) -> dict[str, Any]:
    """Return what training images teach a classifier: an objective's name and options, and ADDED.

    The objective is that of the training that it began with, what is added its own.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    first, own = first_of(config, classifier), config["classifiers"][classifier]
    return {
        "name": first["method"],
        "options": dict(first.get("objective", {})),
        **{name: own[name] for name in ADDED},
    }


def second_scale_of(config: Mapping[str, Any], classifier: str) -> float:
    """Return the size of the second view that a classifier learns from (SEAM), 0 without one.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    scale: float = first_of(config, classifier).get("objective", {}).get("second_scale", 0)
    return scale


def saliency_of(config: Mapping[str, Any], classifier: str) -> str | None:
    """Return the saliency maps that a classifier learns from, or None.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    return first_of(config, classifier).get("saliency")
