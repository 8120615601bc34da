"""What a kind of diagnostic is given, and which of its options are whose: its code says so.

`wsss/diagnose/<kind>.py` has `measure(<given>, *, <options>)` and `wsss/figures/<kind>.py` has
`draw(table, *, labels, styles, <options>)`. The names of what `measure` is given are `GIVEN`, or
the name of a localization method, for the options of a chain's localizer that has to be of it. They
are read off the syntax tree, for the engine asks at its start, when nothing heavy may be imported.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from wsss.config.data_sets import WITHOUT_MASKS, why_no_candidates
from wsss.config.references import ConfigError

ROOT = Path(__file__).resolve().parents[2]
# How many names of its chain something needs: none, those to the classifier, or to the localizer.
GIVEN: Mapping[str, int] = {
    "random_seed": 0,
    "model": 2,
    "images": 2,
    "labels": 2,
    "classes": 2,
    "masks": 2,
    "backgrounds": 2,
    "ood_images": 2,
    "ood_labels": 2,
    "localizer": 3,
}
OF_METHOD = 3


class Parameters(NamedTuple):
    """Names of what a function is given, and of its options (keyword-only)."""

    given: tuple[str, ...]
    options: tuple[str, ...]


@cache
def measure_parameters(kind: str) -> Parameters:
    """Return the parameters of a kind's `measure`."""
    return _parameters(f"wsss/diagnose/{kind}.py", "measure")


@cache
def draw_options(kind: str) -> tuple[str, ...]:
    """Return the options of a kind's `draw`."""
    found = _parameters(f"wsss/figures/{kind}.py", "draw").options
    return tuple(name for name in found if name not in ("labels", "styles"))


def depth_of(kind: str) -> int:
    """Return how many names of a chain a kind sees: 3 to the localizer, 2 to the classifier, or 0.

    Kinds of 0 have no chains: they make their own data and networks.
    """
    return max((GIVEN.get(name, OF_METHOD) for name in measure_parameters(kind).given), default=0)


def method_of(kind: str) -> str | None:
    """Return the localization method that a kind is about, if it is about one."""
    return next((name for name in measure_parameters(kind).given if name not in GIVEN), None)


def check_diagnostic(config: Mapping[str, Any], options: Mapping[str, Any], path: str) -> None:
    """Check that the chains of a diagnostic differ and have what its kind needs.

    Args:
        config: Resolved.
        options: Of the diagnostic.
        path: Where it stands in the config.

    Raises:
        ConfigError: They do not.
    """
    kind = options["diagnostic"]
    depth, method = depth_of(kind), method_of(kind)
    if options.get("least", 0) >= options.get("discriminative", 1):
        raise ConfigError(
            f"{path}.least is {options['least']:g}, but allowed is below discriminative, "
            f"{options['discriminative']:g}"
        )
    ood_set = options.get("ood_set")
    if ood_set is not None and ood_set not in config["ood_sets"]:
        known = ", ".join(config["ood_sets"]) or "none"
        raise ConfigError(
            f"{path}.ood_set: {ood_set!r} is not defined in config.ood_sets (there: {known})"
        )
    seen: dict[str, str] = {}
    for label, chain in options.get("chains", {}).items():
        links = chain.split("/")[:depth]
        shown = "/".join(links)
        if seen.setdefault(shown, label) != label:
            raise ConfigError(
                f"{path}.chains names {shown} twice, which is all of a chain that "
                f"{kind} sees: give it one label"
            )
        _check_dataset(config, links[0], options, f"{path}.chains.{label} ({chain})")
        if method and config["localizers"][links[2]]["method"] != method:
            raise ConfigError(
                f"{path}.chains.{label} is {chain!r}, but {kind} is about {method}, and "
                f"config.localizers.{links[2]} is of method "
                f"{config['localizers'][links[2]]['method']}: name a localizer of {method}"
            )


def _check_dataset(
    config: Mapping[str, Any], dataset: str, options: Mapping[str, Any], place: str
) -> None:
    kind, own = options["diagnostic"], config["datasets"][dataset]
    if "masks" in measure_parameters(kind).given and own["kind"] in WITHOUT_MASKS:
        raise ConfigError(
            f"{place}: {kind} is measured on masks, but config.datasets.{dataset} of kind "
            f"{own['kind']} has none: take it out"
        )
    if "ood_set" in options and (keys := why_no_candidates(own)):
        raise ConfigError(
            f"{place}: {kind} shows OoD images, but config.datasets.{dataset} has no candidates: "
            f"set its {keys}"
        )
    for name in options.get("class_names", ()):
        # Without a list, the data tell the classes.
        if own["classes"] and name not in own["classes"]:
            raise ConfigError(
                f"{place}: class_names has {name!r}, but the classes of {dataset} are "
                f"{', '.join(own['classes'])}"
            )


def _parameters(file: str, function: str) -> Parameters:
    tree = ast.parse((ROOT / file).read_text("utf-8"), filename=file)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            given = [argument.arg for argument in node.args.args]
            return Parameters(tuple(given), tuple(a.arg for a in node.args.kwonlyargs))
    raise LookupError(f"{file} has no function {function!r}")
