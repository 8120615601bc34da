"""Options that are possible each, but not together: found before the first job, not after hours."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

from wsss.config.data_sets import WITHOUT_MASKS, check_dataset, why_no_candidates
from wsss.config.diagnostics import check_diagnostic
from wsss.config.lookup import backbone_of
from wsss.config.network_checks import check_chain_network, check_classifier_network
from wsss.config.option_values import check_option_values
from wsss.config.references import ConfigError, chains_with_paths, stands_on
from wsss.config.refiner_checks import check_chain_refiner, check_refiner
from wsss.config.saliency import check_known_saliency
from wsss.config.scores import check_scores
from wsss.config.shown import check_file_names, check_panel, check_shown
from wsss.config.subset_checks import check_subsets
from wsss.config.threshold_checks import check_thresholds

SMALLEST_SCALE = 0.1
# Side of SEAM's second view, in pixels.
SMALLEST_VIEW = 8
# Of the backbones, in pixels.
LARGEST_STRIDE = 16
# Backbones whose ImageNet weights come with an installed package.
PACKAGED = ("efficientnet_lite0",)


def check_combinations(config: Mapping[str, Any]) -> None:
    """Check what a resolved config's options demand of each other.

    Raises:
        ConfigError: Two options contradict each other, or a chain needs what its data set lacks.
    """
    gpus = config["gpus"]["train"]
    checks: dict[str, Callable[[Mapping[str, Any], str], None]] = {
        "datasets": check_dataset,
        "classifiers": _check_classifier,
        "refiners": check_refiner,
        "segmenters": partial(_check_segmenter, gpus=gpus),
        "tables": check_shown,
        "figures": partial(_check_figure, config),
        "panels": partial(check_panel, config),
        "diagnostics": partial(check_diagnostic, config),
    }
    for group, check in checks.items():
        for name, options in config[group].items():
            check(options, f"config.{group}.{name}")
    for name in config["classifiers"]:
        check_classifier_network(config, name)
    _check_gpus(config, gpus)
    check_thresholds(config)
    check_scores(config)
    check_file_names(config)
    for path, chain in chains_with_paths(config):
        _check_chain(config, chain.split("/"), path)
        check_known_saliency(config, chain, path)


def _check_figure(config: Mapping[str, Any], options: Mapping[str, Any], path: str) -> None:
    check_shown(options, path)
    check_option_values(config, options, path)


def _check_classifier(options: Mapping[str, Any], path: str) -> None:
    if options["start_from"] is None:
        _check_package(options, path)
    low, high = options["images"]["resize_long"]
    if low > high:
        raise ConfigError(
            f"{path}.images.resize_long is [{low}, {high}], but the smaller side comes first"
        )
    scale = options.get("objective", {}).get("second_scale", 1)
    if int(options["images"]["crop_size"] * scale) < SMALLEST_VIEW:
        raise ConfigError(
            f"{path}.objective.second_scale is {scale:g}, which leaves less than {SMALLEST_VIEW} "
            f"pixels of images.crop_size {options['images']['crop_size']}: raise one of them"
        )
    stop = options.get("stop_after_epochs")
    if stop is not None and stop > options["epochs"]:
        raise ConfigError(
            f"{path}.stop_after_epochs is {stop:g}, but the training has {options['epochs']:g} "
            "epochs: name fewer, or null"
        )
    similarity = options["feature_similarity"]
    if similarity and (similarity["gate"], similarity["background"]) == ("scores", "complement"):
        raise ConfigError(
            f"{path}.feature_similarity.gate is scores, which have no complement: set its "
            "background to none, or take another gate"
        )


def _check_package(options: Mapping[str, Any], path: str) -> None:
    if options["initial_weights"] == "package" and options["backbone"] not in PACKAGED:
        raise ConfigError(
            f"{path}.initial_weights is package (the default), but no installed package carries "
            f"weights for the backbone {options['backbone']}: write none, or a file of its weights"
        )


def _check_segmenter(options: Mapping[str, Any], path: str, *, gpus: int) -> None:
    """Check the initial weights, and that no view of the network shrinks to nothing."""
    smallest = min(options["scales"], default=1)
    joint = smallest * min(options["inference"]["scales"])
    if joint < SMALLEST_SCALE:
        raise ConfigError(
            f"{path}: the smallest of scales times the smallest of inference.scales is "
            f"{joint:.3g}, but allowed is at least {SMALLEST_SCALE}"
        )
    training = options["training"]
    images = training["images"]
    size = images["batch_size"]
    alone = training["batch_norm"] == "train" and size == _parts(training["iter_size"], gpus)
    if alone and smallest * images["crop_size"] <= LARGEST_STRIDE:
        raise ConfigError(
            f"{path}.training: batch_norm train needs more than one value, but the batch_size is "
            f"{size}{f' on {gpus} GPUs' if gpus > 1 else ''} and the smallest view has one "
            "feature: raise batch_size or crop_size"
        )
    _check_package(options, path)
    _check_pixel_labels(options, path)


def _check_pixel_labels(options: Mapping[str, Any], path: str) -> None:
    """Check that weights which saw masks are named as such, and no others."""
    weights, allowed = options["initial_weights"], options["initial_weights_saw_pixel_labels"]
    if allowed and weights in ("none", "package", "classifier"):
        raise ConfigError(
            f"{path}.initial_weights_saw_pixel_labels is true, but initial_weights is {weights}, "
            "which saw none: take it out"
        )
    if not allowed and re.search("deeplab.*coco", PurePath(weights).name, re.IGNORECASE):
        raise ConfigError(
            f"{path}.initial_weights is {weights}, which was trained on masks: name ImageNet "
            "weights, or add initial_weights_saw_pixel_labels: true, which every table then says"
        )


def _check_gpus(config: Mapping[str, Any], gpus: int) -> None:
    """Check that the batches of every training have equal parts for all GPUs."""
    for path, size, accumulate in _batches(config):
        parts = _parts(accumulate, gpus)
        if size % parts:
            raise ConfigError(
                f"{path} is {size}, but its images are shared equally by GPUs, of which "
                f"config.gpus.train is {gpus}: make it a multiple of {parts}"
            )


def _parts(accumulate: int, gpus: int) -> int:
    """Return into how many parts a batch is split, as wsss.train.distributed.parts_of_rank does."""
    return math.lcm(accumulate, gpus) // accumulate


def _batches(config: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Yield (path, images, how many of them make a step) of every training's batch size."""
    for name, options in config["classifiers"].items():
        path = f"config.classifiers.{name}"
        yield f"{path}.images.batch_size", options["images"]["batch_size"], 1
        if options["method"] == "wood":
            yield f"{path}.ood_batch_size", options["ood_batch_size"], 1
    for group in ("refiners", "segmenters"):
        for name, options in config[group].items():
            if training := options.get("training"):
                path = f"config.{group}.{name}.training.images.batch_size"
                yield path, training["images"]["batch_size"], training.get("iter_size", 1)


def _check_chain(config: Mapping[str, Any], links: list[str], path: str) -> None:
    dataset, classifier = links[:2]
    options = config["datasets"][dataset]
    keys = why_no_candidates(options)
    needed = {group for group, _ in stands_on(config, "classifiers", classifier)}
    if keys and "ood_sets" in needed:
        raise ConfigError(
            f"{path}: {classifier} needs OoD images, but config.datasets.{dataset} has no "
            f"candidates: set its {keys}"
        )
    check_chain_network(config, links, path)
    check_subsets(config, dataset, classifier, path)
    if len(links) > 3:
        check_chain_refiner(config, links)
    if len(links) == 5:
        _check_segmentation(config, links, path)


def _check_segmentation(config: Mapping[str, Any], links: list[str], path: str) -> None:
    dataset, classifier, *_, segmenter = links
    keys = {"scenes": ("val",), "voc": ("val_list",), "coco": ("val_fraction", "val_images")}
    options = config["datasets"][dataset]
    if options["kind"] in WITHOUT_MASKS:
        raise ConfigError(
            f"{path}: segmentation is scored on masks, but config.datasets.{dataset} of kind "
            f"{options['kind']} has none: end the chain at the localizer"
        )
    own = keys.get(options["kind"], ())
    if own and not any(options[key] for key in own):
        raise ConfigError(
            f"{path}: segmentation is scored on val images, but config.datasets.{dataset} has "
            f"none: set its {' or '.join(own)}"
        )
    needed = config["segmenters"][segmenter]
    backbone = backbone_of(config, classifier)
    if needed["initial_weights"] == "classifier" and needed["backbone"] != backbone:
        raise ConfigError(
            f"{path}: config.segmenters.{segmenter}.initial_weights is classifier, but "
            f"{classifier} has the backbone {backbone}, not {needed['backbone']}: name the same"
        )
