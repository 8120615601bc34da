"""Background thresholds that are possible each, but not together."""

import itertools
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from wsss.config.references import ConfigError
from wsss.config.thresholds import offset_of, way_of

# Tables call the key `threshold`, figures `threshold_policy`.
POLICY_KEYS = {"tables": "threshold", "figures": "threshold_policy"}


def check_thresholds(config: Mapping[str, Any]) -> None:
    """Check the background thresholds of a resolved config, and what tables ask of them.

    Raises:
        ConfigError: Two thresholds are one to maps, which have single precision; those of a refiner
            are in the wrong order; or a table asks for a number where the config names a way.
    """
    _check_curve(config)
    for name, options in config["refiners"].items():
        path = f"config.refiners.{name}"
        if options["method"] == "irn":
            _check_pair(options["labels"], f"{path}.labels")
        if options["method"] == "cues":
            _check_pair(options, path)
    for path, localizer in _shown_as_fixed(config):
        way = way_of(config["localizers"][localizer]["background_threshold"])
        if way is not None:
            raise ConfigError(
                f"{path} is fixed, but the background_threshold of config.localizers.{localizer} "
                f"is {way}, no number: write config, or a number there"
            )


def _check_curve(config: Mapping[str, Any]) -> None:
    path, thresholds = "config.evaluation.thresholds", config["evaluation"]["thresholds"]
    for low, high in itertools.pairwise(thresholds):
        if _single(low) >= _single(high):
            raise ConfigError(f"{path} has {low} before {high}, but they must strictly increase")
    known = {_single(value): value for value in thresholds}
    for name, options in config["localizers"].items():
        own = options["background_threshold"]
        if way_of(own) is None and known.get(_single(own), own) != own:
            raise ConfigError(
                f"config.localizers.{name}.background_threshold is {own}, too close to "
                f"{known[_single(own)]} of {path}: write the same number"
            )


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _check_pair(labels: Mapping[str, Any], path: str) -> None:
    low, high = labels["background_threshold"], labels["foreground_threshold"]
    if way_of(low) != way_of(high):
        raise ConfigError(
            f"{path}.background_threshold is {low} and foreground_threshold {high}, but which of "
            "them is lower only the maps tell: write two numbers, or one way for both"
        )
    if offset_of(low) > offset_of(high):
        raise ConfigError(
            f"{path}.background_threshold is {low}, but allowed is at most "
            f"foreground_threshold, {high}"
        )


def _shown_as_fixed(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (path of the key, localizer) wherever seeds are asked for at fixed thresholds."""
    for group, key in POLICY_KEYS.items():
        for name, options in config[group].items():
            stages = (options.get("stage"), *options.get("stages", ()))
            if options.get(key) == "fixed" and "seed" in stages:
                for chain in options["chains"].values():
                    yield f"config.{group}.{name}.{key}", chain.split("/")[2]
