"""Options of data sets that are possible each, but not together."""

from collections.abc import Mapping
from typing import Any

from wsss.config.references import ConfigError

# What has no masks at all.
WITHOUT_MASKS = ("openimages",)


def check_dataset(options: Mapping[str, Any], path: str) -> None:
    """Check what a data set's options demand of each other.

    Args:
        options: Of the data set, resolved.
        path: Where it stands in the config.

    Raises:
        ConfigError: Two options contradict each other.
    """
    check = CHECKS.get(options["kind"])
    if check:
        check(options, path)


def _check_scenes(options: Mapping[str, Any], path: str) -> None:
    shares = [options["hard_fraction"], options["mislabelled_fraction"]]
    if sum(shares) > 1:
        raise ConfigError(
            f"{path}.hard_fraction is {shares[0]} and mislabelled_fraction {shares[1]}, but "
            "together they are shares of one pool: at most 1"
        )


def _check_voc(options: Mapping[str, Any], path: str) -> None:
    if options["sbd"] and not options["val_list"]:
        raise ConfigError(
            f"{path}.sbd is set, but val_list is empty: name VOC's val_list, whose images SBD has, "
            "too, and nobody may train on"
        )
    known = options["mask_classes"] or options["classes"]
    if missing := [name for name in options["classes"] if name not in known]:
        raise ConfigError(f"{path}.mask_classes lacks {', '.join(missing)} of classes: name all")


def _check_coco(options: Mapping[str, Any], path: str) -> None:
    _check_pair(options, path, "val_images", "val_annotations")
    with_pngs = options["masks"] != "instances"
    if unknown := [name for name in options["spurious"] if name not in options["classes"]]:
        raise ConfigError(f"{path}.spurious names {', '.join(unknown)}: name classes")
    if options["spurious"] and not with_pngs:
        raise ConfigError(f"{path}.spurious needs backgrounds: set masks to stuff or panoptic")
    has_val = with_pngs and bool(options["val_images"])
    if bool(options["train_masks"]) != with_pngs or bool(options["val_masks"]) != has_val:
        raise ConfigError(
            f"{path}.train_masks and val_masks are folders of PNGs: name them with masks stuff or "
            "panoptic only, val_masks where there are val_images"
        )


def _check_openimages(options: Mapping[str, Any], path: str) -> None:
    _check_pair(options, path, "val_images", "val_human_labels")


def _check_pair(options: Mapping[str, Any], path: str, first: str, second: str) -> None:
    if bool(options[first]) != bool(options[second]):
        raise ConfigError(
            f"{path} has only one of {first} and {second}: name both, or leave both empty"
        )


CHECKS = {
    "scenes": _check_scenes,
    "voc": _check_voc,
    "coco": _check_coco,
    "openimages": _check_openimages,
}


def why_no_candidates(options: Mapping[str, Any]) -> str:
    """Return which keys of a data set are to be set that it has OoD candidates, or nothing."""
    if options["pool"]:
        return ""
    if options["kind"] == "scenes":
        return "" if options["ood"] else "ood or pool"
    if options["kind"] == "voc":
        keys = ("ood_list", "ood_folder", "mask_classes")
        return "" if any(options[key] for key in keys) else "pool, ood_list or ood_folder"
    return ""
