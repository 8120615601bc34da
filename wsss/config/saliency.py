"""Which saliency maps a chain depends on, and what follows from that."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from wsss.config.data_sets import WITHOUT_MASKS
from wsss.config.references import STAGE_LINKS, ConfigError, needs_of, stands_on

# The kind that is taken from the ground truth.
KNOWN = "known"


class Use(NamedTuple):
    """Who of a config takes which saliency maps: the variant's group and name, the maps' name."""

    group: str
    name: str
    saliency: str


def saliency_uses(config: Mapping[str, Any], chain: str, stage: str) -> list[Use]:
    """Return who takes saliency maps on the way to a chain's stage.

    That are its classifier, those that it starts from or whose OoD images it trains on, and its
    refiner with those that it starts from.

    Args:
        config: A resolved config.
        chain: Its names; it may go on beyond the stage.
        stage: seed, pseudo_mask, segmentation or segmentation_crf.
    """
    names = chain.split("/")[: STAGE_LINKS[stage]]
    variants = list(stands_on(config, "classifiers", names[1]))
    if len(names) > STAGE_LINKS["seed"]:
        variants += stands_on(config, "refiners", names[3])
    return [
        Use(group, name, needed)
        for group, name in variants
        for _, other, needed in needs_of(config, group, name)
        if other == "saliency_maps"
    ]


def uses_known_saliency(config: Mapping[str, Any], chain: str, stage: str) -> bool:
    """Return whether a chain's stage depends on saliency maps that were made of pixel labels.

    Args:
        config: A resolved config.
        chain: See `saliency_uses`.
        stage: See `saliency_uses`.
    """
    uses = saliency_uses(config, chain, stage)
    return any(config["saliency_maps"][use.saliency]["kind"] == KNOWN for use in uses)


def check_known_saliency(config: Mapping[str, Any], chain: str, path: str) -> None:
    """Check that a chain takes no saliency maps of the ground truth where there is none.

    Args:
        config: A resolved config.
        chain: Its names.
        path: Where it stands in the config.

    Raises:
        ConfigError: It does.
    """
    name = chain.split("/")[0]
    options = config["datasets"][name]
    lacks = options["kind"] in WITHOUT_MASKS or options.get("masks") == ""
    if lacks and uses_known_saliency(config, chain, "segmentation"):
        raise ConfigError(
            f"{path}: saliency maps of kind {KNOWN} come from masks, but config.datasets.{name} "
            "has none: take saliency maps of kind folder or opencv"
        )
