"""Random parts of images, as far as the config itself knows of how many they are parts."""

from collections.abc import Mapping
from typing import Any

from wsss.config.lookup import sized_set_of
from wsss.config.references import ConfigError, stands_on

# Of a split of a data set of any other kind than drawn scenes; 0 is no limit.
LIMITS = ("limit", "labelled_limit")


def check_subsets(config: Mapping[str, Any], dataset: str, classifier: str, path: str) -> None:
    """Check that the trainings of a chain ask for no more images than there can be.

    Where only the data tell, the trainings do.

    Args:
        config: Resolved, its names checked.
        dataset: Of the chain.
        classifier: Of the chain; those that it starts from, or that rank its OoD images, count too.
        path: Of the chain in the config.

    Raises:
        ConfigError: A training does.
    """
    for group, name in stands_on(config, "classifiers", classifier):
        if group != "classifiers":
            continue
        options = config["classifiers"][name]
        bounds = {"training_images": _training_bounds(config, dataset)}
        if "ood_set" in options:
            bounds["ood_images"] = _ood_bounds(config, dataset, options["ood_set"])
        for key, known in bounds.items():
            number, (place, most) = options[key], min(known, key=lambda one: one[1])
            if number is not None and number > most:
                raise ConfigError(
                    f"{path}: config.classifiers.{name}.{key} is {number}, but {place} is {most}: "
                    f"name at most {most}, or null for all of them"
                )


def _training_bounds(config: Mapping[str, Any], dataset: str) -> list[tuple[str, float]]:
    """Return (what of the config bounds the number of images, bound)."""
    place, options = f"config.datasets.{dataset}", config["datasets"][dataset]
    if options["kind"] == "scenes":
        return [(f"{place}.train", options["train"])]
    found = [(f"{place}.{key}", options[key]) for key in LIMITS if options.get(key)]
    return [*found, (place, float("inf"))]


def _ood_bounds(config: Mapping[str, Any], dataset: str, name: str) -> list[tuple[str, float]]:
    name = sized_set_of(config, name)
    size = config["ood_sets"][name]["size"]
    found = [(f"config.ood_sets.{name}.size", float("inf") if size is None else size)]
    options = config["datasets"][dataset]
    if options["kind"] == "scenes" and options["pool"] is None:
        found.append((f"config.datasets.{dataset}.ood", options["ood"]))
    return found
