"""The values of options in the links of chains: what a figure of an ablation is drawn over."""

from collections.abc import Mapping
from typing import Any

from wsss.config.lookup import sized_set_of
from wsss.config.references import CHAIN_LINKS, ConfigError
from wsss.config.values import shown

# Keys that name an option, by figure.
KEYS: Mapping[str, tuple[str, ...]] = {
    "metric_over_option": ("option", "lines"),
    "metric_grid": ("row_option", "column_option"),
    "metric_boxes": ("option",),
}
# Figures in which chains of the same values are runs of one.
POOLED = ("metric_boxes",)
OOD_SIZE = "ood_sets.size"
# Numbers of images that a classifier is trained with, of which null is all.
DRAWN = ("classifiers.ood_images", "classifiers.training_images")
# Not an option: what of a chain's label stands before the first colon.
LABEL = "label"


def option_values(
    config: Mapping[str, Any], options: Mapping[str, Any], path: str
) -> dict[str, dict[str, Any]]:
    """Return, for each option that a figure is drawn over, its value by chain.

    An option is named by its place within a chain's link: `localizers.steps` is the key `steps` of
    the chain's localizer, `classifiers.clusters.clusters` a key in a group, `localizers` alone the
    link's own name, and `ood_sets.kind` an option of the classifier's OoD set. `label` is what of
    the chain's label stands before the first colon. `ood_sets.size` is how many OoD images the
    config asks for: 0 of a classifier without, that of the set whose size is taken over, or "all".
    `classifiers.ood_images` is how many of them a classifier draws, 0 without, and
    `classifiers.training_images` of the training images; "all" where it draws none.

    Args:
        config: Resolved, its names checked.
        options: Of a figure.
        path: Where it stands in the config.

    Raises:
        ConfigError: A chain has no such link, or its link no such option, or a group of them.
    """
    return {
        options[key]: {
            chain: _value(config, label, chain, options[key], f"{path}.{key}")
            for label, chain in options["chains"].items()
        }
        for key in KEYS.get(options["figure"], ())
        if options[key] is not None
    }


def check_option_values(config: Mapping[str, Any], options: Mapping[str, Any], path: str) -> None:
    """Check that the chains of a figure have the options that it is drawn over, and differ in them.

    Raises:
        ConfigError: They do not.
    """
    values = option_values(config, options, path)
    if not values:
        return
    taken: dict[tuple[Any, ...], str] = {}
    for label, chain in options["chains"].items():
        place = tuple(own[chain] for own in values.values())
        # A cut run cuts the options, too; chains that differ no more count as runs of one.
        pooled = options["figure"] in POOLED or config["cut"] is not None
        if taken.setdefault(place, label) != label and not pooled:
            same = " and ".join(f"{o} {shown(v)}" for o, v in zip(values, place, strict=True))
            raise ConfigError(
                f"{path}.chains: {taken[place]} and {label} both have {same}: draw them over a "
                "further option in which they differ, or take one out"
            )
    if options.get("logarithmic"):
        for chain, value in values[options["option"]].items():
            if not isinstance(value, int | float) or value < 0:
                raise ConfigError(
                    f"{path}.logarithmic is true, but {options['option']} of {chain} is "
                    f"{shown(value)}, and a logarithmic axis needs numbers from 0 on"
                )


def _value(config: Mapping[str, Any], label: str, chain: str, option: str, path: str) -> Any:
    if option == LABEL:
        return label.partition(":")[0].strip()
    if option == OOD_SIZE:
        return _ood_size(config, config["classifiers"][chain.split("/")[1]].get("ood_set"))
    if option in DRAWN:
        return _drawn(config["classifiers"][chain.split("/")[1]], option.split(".")[1])
    group, *keys = option.split(".")
    names = dict(zip(CHAIN_LINKS, chain.split("/"), strict=False))
    names["ood_sets"] = config["classifiers"][names["classifiers"]].get("ood_set")
    if names.get(group) is None:
        known = ", ".join(key for key, name in names.items() if name is not None)
        raise ConfigError(f"{path} is {option!r}, but {chain} has no such link (it has: {known})")
    if not keys:
        return names[group]
    value: Any = config[group][names[group]]
    place = f"config.{group}.{names[group]}"
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            known = f" (there: {', '.join(value)})" if isinstance(value, Mapping) else ""
            raise ConfigError(f"{path} is {option!r}, but {place} has no option {key!r}{known}")
        value, place = value[key], f"{place}.{key}"
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "none"}[value]
    if not isinstance(value, str | int | float):
        raise ConfigError(
            f"{path} is {option!r}, but {place} is {shown(value)}: name an option that is a number "
            "or a word"
        )
    return value


def _ood_size(config: Mapping[str, Any], name: str | None) -> int | str:
    """Return how many images an OoD set is to have; none is a classifier's that has no set."""
    if name is None:
        return 0
    size: int | None = config["ood_sets"][sized_set_of(config, name)]["size"]
    return "all" if size is None else size


def _drawn(options: Mapping[str, Any], key: str) -> int | str:
    """Return how many images a classifier is trained with."""
    number: int | None = options.get(key, 0)
    return "all" if number is None else number
