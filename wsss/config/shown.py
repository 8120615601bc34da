"""What tables, figures and panels may show: what is scored, each under a name of its own."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from wsss.config.references import OF_SEEDS, ConfigError
from wsss.config.values import place

# Where each stage is scored.
STAGE_SPLIT = {
    "seed": "train",
    "pseudo_mask": "train",
    "segmentation": "val",
    "segmentation_crf": "val",
}
# Tables that the workflow makes for all the others.
OWN_TABLES = ("metrics", "curves", "training")


def check_shown(options: Mapping[str, Any], path: str) -> None:
    """Check that what a table or figure shows is scored: its splits, metrics and labels.

    Args:
        options: Of the table or figure, resolved.
        path: Where it stands in the config.

    Raises:
        ConfigError: Something is not scored, or not shown.
    """
    for stage, key, split in _splits(options):
        if split != STAGE_SPLIT[stage]:
            raise ConfigError(
                f"{path}.{key} is {split!r}, but {stage} is scored on {STAGE_SPLIT[stage]}: write "
                f"`{key.rsplit('.', maxsplit=1)[-1]}: {STAGE_SPLIT[stage]}`"
            )
    chains = options["chains"]
    for label, values in options.get("expected", {}).items():
        if label not in chains:
            raise ConfigError(
                f"{place(f'{path}.expected', label)} is no row of the table, but allowed is one of "
                f"{', '.join(chains)}"
            )
        for name in values:
            if name not in options["metrics"]:
                raise ConfigError(
                    f"{place(place(f'{path}.expected', label), name)} is no column of the table, "
                    f"but allowed is one of {', '.join(options['metrics'])}"
                )
    twice = [c for c in chains.values() if list(chains.values()).count(c) > 1]
    if "figure" in options and twice:
        raise ConfigError(f"{path}.chains names {twice[0]} twice: give it one label")


def _splits(options: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (stage, key of the split, split) of what a table or figure shows."""
    if "stage" in options:
        yield options["stage"], "split", options["split"]
    if options.get("figure") in OF_SEEDS:
        yield "seed", "split", options["split"]
    for stage, split in options.get("stages", {}).items():
        yield stage, f"stages.{stage}", split


def check_panel(config: Mapping[str, Any], options: Mapping[str, Any], path: str) -> None:
    """Check that a panel of clusters shows one classifier, and one that has clusters.

    Raises:
        ConfigError: It does not.
    """
    if options["panel"] != "clusters":
        return
    if len(options["chains"]) > 1:
        raise ConfigError(
            f"{path}.chains has {len(options['chains'])} entries, but a panel of clusters shows "
            "one: give each chain a panel of its own"
        )
    trained = config["classifiers"]
    for label, chain in options["chains"].items():
        name = chain.split("/")[1]
        if trained[name]["method"] != "wood":
            known = ", ".join(n for n, own in trained.items() if own["method"] == "wood")
            raise ConfigError(
                f"{path}.chains.{label} is {chain!r}, but {name} is no W-OoD training and has no "
                f"clusters; those that are: {known or 'none'}"
            )


def check_file_names(config: Mapping[str, Any]) -> None:
    """Check that no two tables or pictures of a resolved config are one file.

    Raises:
        ConfigError: Two are.
    """
    for name in OWN_TABLES:
        if name in config["tables"]:
            raise ConfigError(f"config.tables.{name}: the workflow has a table of that name itself")
    taken: dict[str, str] = {}
    sheets = {f"data_{dataset}" for dataset in config["datasets"]}
    for dataset, ood_set in itertools.product(config["datasets"], config["ood_sets"]):
        sheets |= {f"ood_{kind}_{dataset}_{ood_set}" for kind in ("pool", "hard")}
    for group in ("figures", "panels", "diagnostics"):
        for name in config[group]:
            other = "a sheet of the report" if name in sheets else taken.get(name)
            if other:
                raise ConfigError(f"config.{group}.{name}: {other} has that name; take another")
            taken[name] = f"config.{group}"
