"""The names that a config uses: each must be defined in it, and reach what it is to show."""

from collections.abc import Iterator, Mapping
from typing import Any

CHAIN_LINKS = ("datasets", "classifiers", "localizers", "refiners", "segmenters")
# Figures that show seeds, whatever their options.
OF_SEEDS = ("threshold_curve", "precision_recall")
STAGE_LINKS = {"seed": 3, "pseudo_mask": 4, "segmentation": 5, "segmentation_crf": 5}
# Which variant another one needs, and where that stands.
NEEDS = (
    ("datasets", "pool", "datasets"),
    ("classifiers", "start_from", "classifiers"),
    ("classifiers", "ood_set", "ood_sets"),
    ("ood_sets", "ranked_by", "classifiers"),
    ("ood_sets", "same_size_as", "ood_sets"),
    ("classifiers", "saliency", "saliency_maps"),
    ("refiners", "saliency", "saliency_maps"),
    ("refiners", "start_from", "refiners"),
)
LONGEST_WAY = 100


class ConfigError(ValueError):
    """A config that cannot be run; the text says where and what is allowed."""


def check_references(config: Mapping[str, Any]) -> None:
    """Check that every name used in a resolved config is defined in it.

    Raises:
        ConfigError: A chain or an option names something that is not there.
    """
    for path, chain in chains_with_paths(config):
        links = chain.split("/")
        if not 2 <= len(links) <= len(CHAIN_LINKS):
            raise ConfigError(
                f"{path} is {chain!r}, but a chain has two to five names: "
                "dataset/classifier[/localizer[/refiner[/segmenter]]]"
            )
        for link, group in zip(links, CHAIN_LINKS, strict=False):
            _check_defined(link, config[group], f"{path} ({chain})", group)
        _check_excluded_class(links[0], links[1], config)
    for group, key, other in NEEDS:
        for name, options in config[group].items():
            if options.get(key) is not None:
                _check_defined(options[key], config[other], f"config.{group}.{name}.{key}", other)
    checked: set[tuple[str, str]] = set()
    for group in ("datasets", "classifiers", "ood_sets", "refiners"):
        for name in config[group]:
            _check_circle(config, [(group, name)], checked)
    for group in ("tables", "figures", "panels"):
        for name, options in config[group].items():
            _check_length(options, f"config.{group}.{name}")


def chains_with_paths(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (where it stands, chain) of every chain that the config asks for."""
    for group in ("tables", "figures", "panels", "diagnostics"):
        for name, options in config[group].items():
            for label, chain in options.get("chains", {}).items():
                yield f"config.{group}.{name}.chains.{label}", chain


def needs_of(config: Mapping[str, Any], group: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield (key, group, name) of the variants that one of them needs itself."""
    for own, key, other in NEEDS:
        needed = config[group][name].get(key) if own == group else None
        if needed is not None:
            yield key, other, needed


def stands_on(config: Mapping[str, Any], group: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield (group, name) of a variant, and of all that it needs, each once."""
    waiting, seen = [(group, name)], set()
    while waiting:
        variant = waiting.pop()
        if variant in seen:
            continue
        seen.add(variant)
        yield variant
        waiting += reversed([(other, one) for _, other, one in needs_of(config, *variant)])


def _check_circle(
    config: Mapping[str, Any], way: list[tuple[str, str]], checked: set[tuple[str, str]]
) -> None:
    """Follow what the last name of the way needs; the way must not come back to a name."""
    group, name = way[-1]
    if (group, name) in checked:
        return
    if len(way) > LONGEST_WAY:
        raise ConfigError(
            f"config.{way[0][0]}.{way[0][1]} stands on more than {LONGEST_WAY} trainings, OoD "
            "sets or refiners, one after the other: shorten the way"
        )
    for key, other, needed in needs_of(config, group, name):
        if (other, needed) in way:
            circle = " -> ".join([n for _, n in way[way.index((other, needed)) :]] + [needed])
            raise ConfigError(f"config.{group}.{name}.{key} closes a circle: {circle}")
        _check_circle(config, [*way, (other, needed)], checked)
    checked.add((group, name))


def _check_excluded_class(dataset: str, classifier: str, config: Mapping[str, Any]) -> None:
    name = config["classifiers"][classifier].get("excluded_class")
    known = config["datasets"][dataset]["classes"]
    # Without a list, the data tell the classes.
    if name is not None and known and name not in known:
        raise ConfigError(
            f"config.classifiers.{classifier}.excluded_class is {name!r}, but the classes of "
            f"{dataset} are {', '.join(known)}"
        )


def _check_length(options: Mapping[str, Any], place: str) -> None:
    """Check that the chains of a table, figure or panel reach the stage that it shows."""
    stages = [options["stage"]] if "stage" in options else list(options.get("stages", ()))
    least, most = max([STAGE_LINKS[stage] for stage in stages], default=2), len(CHAIN_LINKS)
    if options.get("figure") in OF_SEEDS:
        least = STAGE_LINKS["seed"]
    if options.get("panel") == "masks":
        least = most = STAGE_LINKS["segmentation" if options["split"] == "val" else "pseudo_mask"]
    for label, chain in options["chains"].items():
        if not least <= len(chain.split("/")) <= most:
            raise ConfigError(
                f"{place}.chains.{label} is {chain!r}, but a chain of "
                f"{least if least == most else f'{least} to {most}'} names is needed to show "
                f"{' and '.join(stages) or options.get('figure') or 'masks of ' + options['split']}"
            )
    if "panel" in options and len({c.split("/")[0] for c in options["chains"].values()}) > 1:
        raise ConfigError(f"{place}.chains are of several data sets, but a panel shows one")


def _check_defined(name: str, group: Mapping[str, Any], place: str, group_name: str) -> None:
    if name not in group:
        known = ", ".join(group) or "none"
        raise ConfigError(
            f"{place}: {name!r} is not defined in config.{group_name} (there: {known})"
        )
