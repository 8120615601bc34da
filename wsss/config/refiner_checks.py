"""Options of refiners that are possible each, but not together."""

from collections.abc import Mapping, Sequence
from typing import Any

from wsss.config.lookup import backbone_of, first_refiner_of
from wsss.config.references import ConfigError

# Pixels per cell of IRN's maps, and of AffinityNet's features by backbone.
IRN_CELL = 4
PSA_CELLS = {"compact": 4}
PSA_CELL = 8


def check_refiner(options: Mapping[str, Any], path: str) -> None:
    """Check what a refiner's options demand of each other, whatever chain it is in.

    Raises:
        ConfigError: Crops are too small for IRN's pairs of cells, or PSA's alphas in wrong order.
    """
    if options["method"] == "irn":
        _check_crop(options["training"], path, cell=IRN_CELL)
    if options["method"] == "psa":
        low, high = options["labels"]["low_alpha"], options["labels"]["high_alpha"]
        if low > high:
            raise ConfigError(
                f"{path}.labels.low_alpha is {low}, but allowed is at most high_alpha, {high}"
            )


def check_chain_refiner(config: Mapping[str, Any], links: Sequence[str]) -> None:
    """Check the refiner of a chain against its classifier.

    Raises:
        ConfigError: Crops are too small for PSA's pairs of cells.
    """
    name = first_refiner_of(config, links[3])
    options = config["refiners"][name]
    if options["method"] == "psa":
        cell = PSA_CELLS.get(backbone_of(config, links[1]), PSA_CELL)
        _check_crop(options["training"], f"config.refiners.{name}", cell=cell)


def _check_crop(training: Mapping[str, Any], path: str, *, cell: int) -> None:
    # A pair of cells is at most radius - 1 apart, to either side.
    smallest = cell * (2 * (training["radius"] - 1) + 1)
    if training["images"]["crop_size"] < smallest:
        raise ConfigError(
            f"{path}.training.images.crop_size is {training['images']['crop_size']}, but with "
            f"radius {training['radius']} allowed is at least {smallest}"
        )
