"""What a config says of how a row of a table came about, in words."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from wsss.config.lookup import first_of, first_refiner_of, trainings_of
from wsss.config.references import CHAIN_LINKS, STAGE_LINKS
from wsss.config.saliency import Use, saliency_uses
from wsss.config.thresholds import KEYS

# What segmenters call their weights, in words.
WEIGHTS = {
    "none": "random weights",
    "package": "an installed package's ImageNet weights",
    "classifier": "the chain's classifier",
}
# What saliency maps were made from, by their kind.
SALIENCY = {
    "folder": "files of {root}",
    "opencv": "OpenCV's {method} scaled by {scaling}",
    "known": "FROM PIXEL LABELS",
}
# PSA's background scores, which stand for thresholds.
ALPHAS = ("low_alpha", "high_alpha", "alpha")
# Numbers of images that a training draws, in words.
DRAWN = {"training_images": "of the training images", "ood_images": "of the OoD images"}
# Every training ends with its last step; no score picks an earlier state.
CHECKPOINT = "the last one of every training"


def row_protocol(config: Mapping[str, Any], chain: str, stage: str) -> dict[str, str]:
    """Return the protocol of a chain at a stage: a text each for the table's columns.

    These are `initial_weights`, `scales` (of what the stage shows), `crf`, `refiner_thresholds`
    and PSA's alphas ("" for a seed, whose threshold the metrics have), `saliency` ("" without any),
    `drawn_images` ("" where all train the classifiers) and `checkpoint`.

    Args:
        config: A resolved config.
        chain: Its names; it may go on beyond the stage.
        stage: seed, pseudo_mask, segmentation or segmentation_crf.
    """
    names = chain.split("/")[: STAGE_LINKS[stage]]
    links = {group: config[group][name] for group, name in zip(CHAIN_LINKS, names, strict=False)}
    weights = [_weights(first_of(config, names[1]))]
    if "segmenters" in links:
        weights.append(f"{links['segmenters']['method']} on {_weights(links['segmenters'])}")
    if "refiners" in links:
        # Whose masks another refiner takes, made them.
        links["refiners"] = config["refiners"][first_refiner_of(config, names[3])]
    refiner = links.get("refiners", {})
    return {
        "initial_weights": "; ".join(weights),
        "scales": _scales(links),
        "crf": _crf(links, stage),
        "refiner_thresholds": "; ".join(_thresholds(refiner)),
        "saliency": _saliency(config, chain, stage),
        "drawn_images": _drawn_images(config, names[1]),
        "checkpoint": CHECKPOINT,
    }


def _weights(options: Mapping[str, Any]) -> str:
    own = options["initial_weights"]
    return f"{options['backbone']} from {WEIGHTS.get(own, PurePath(own).name)}"


def _scales(links: Mapping[str, Mapping[str, Any]]) -> str:
    if "segmenters" not in links:
        return f"maps at {_listed(links['localizers']['scales'])}, each also mirrored"
    segmenter = links["segmenters"]
    inference = segmenter["inference"]
    seen = "each also mirrored" if inference["flip"] else "not mirrored"
    within = segmenter["scales"]
    joined = f", in the network also {_listed(within)} (maximum)" if within else ""
    return f"images at {_listed(inference['scales'])}, {seen}{joined}"


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _crf(links: Mapping[str, Mapping[str, Any]], stage: str) -> str:
    """Return the CRF that made what the stage shows, or the labels that a refiner learns from."""
    if stage == "segmentation_crf":
        return _crf_values(links["segmenters"]["inference"]["crf"])
    if stage != "pseudo_mask":
        return "none"
    refiner = links["refiners"]
    if "bilateral_sxy" in refiner:
        return _crf_values(refiner)
    if "bilateral_sxy" in refiner.get("labels", {}):
        return f"none on the masks; on the labels that {refiner['method']} learns from, " + (
            _crf_values(refiner["labels"])
        )
    return "none"


def _crf_values(crf: Mapping[str, Any]) -> str:
    hard = f" on hard labels of certainty {crf['certainty']:g}" if "certainty" in crf else ""
    times = f"{crf['iterations']} iteration{'' if crf['iterations'] == 1 else 's'}"
    return (
        f"{times}{hard}, smoothness sxy {crf['gaussian_sxy']:g} weight "
        f"{crf['gaussian_compat']:g}, appearance sxy {crf['bilateral_sxy']:g} srgb "
        f"{crf['bilateral_srgb']:g} weight {crf['bilateral_compat']:g}"
    )


def _thresholds(options: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Yield the thresholds of a refiner by their place in the config."""
    for key, value in options.items():
        if isinstance(value, Mapping):
            yield from _thresholds(value, f"{place}{key}.")
        elif key in (*KEYS, *ALPHAS):
            yield f"{place}{key} {value}"


def _saliency(config: Mapping[str, Any], chain: str, stage: str) -> str:
    """Return which saliency maps had a part in a stage, and in what."""
    uses = saliency_uses(config, chain, stage)
    told = [_use(config, use) for use in uses]
    settled = [config["refiners"][use.name] for use in uses if use.group == "refiners"]
    if stage == "pseudo_mask" and any("ignore" in _settled(options) for options in settled):
        told.append("what is ignored counts as background here")
    return "; ".join(told)


def _use(config: Mapping[str, Any], use: Use) -> str:
    maps, options = config["saliency_maps"][use.saliency], config[use.group][use.name]
    words = f"{use.saliency} ({SALIENCY[maps['kind']].format_map(maps)})"
    if use.group == "classifiers":
        return f"{words} in the training of {use.name}"
    missing, present = _settled(options)
    return (
        f"{words} against the masks of {options['start_from']}, salient above "
        f"{options['saliency_threshold']:g}, foreground that is not: {missing}, background that "
        f"is: {present}"
    )


def _settled(options: Mapping[str, Any]) -> tuple[str, str]:
    """Return what becomes of a refiner's disagreements with saliency maps."""
    return options["foreground_not_salient"], options["background_salient"]


def _drawn_images(config: Mapping[str, Any], classifier: str) -> str:
    """Return how many images the trainings of a chain's classifier draw, in their order."""
    told = []
    for name in trainings_of(config, classifier):
        options = config["classifiers"][name]
        drawn = [f"{options[key]} {noun}" for key, noun in DRAWN.items() if options.get(key)]
        told += [f"{name} with {' and '.join(drawn)}"] if drawn else []
    return f"{'; '.join(told)}; every random seed draws others" if told else ""
