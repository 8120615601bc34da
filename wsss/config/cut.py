"""A config cut short: few steps on few small images, to see on any machine that all of it runs."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

# Images of a split, of the candidates, of an OoD set with a size, and of a random part of either.
IMAGES = 24
OOD_IMAGES = 12
DRAWN_IMAGES = 6
# Share of the training images that become val: enough are left to draw some of them.
VAL_FRACTION = 0.5
# Longest side of what is trained on, pixels; IRN's default radius needs 76 for its crops.
SIDE = 96
# Of maps and predictions; wsss.config.combinations allows no smaller view than a tenth.
SCALE, SMALLEST_SCALE = 0.25, 0.1
CLUSTERS = 5
PERPLEXITY = 2
# A few steps at full rate drive all scores below zero, and a map without any has no seed.
LEARNING_RATE = 0.0001
SHARDS = 2
# Images of a step on each GPU.
BATCH, IRN_BATCH = 2, 8
SUFFIX = "-cut"
MARK = "CUT RUN"

Rule = Callable[[Any], Any]


def cut_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved config as its key `cut` shortens it.

    The key is the number of steps that a training or a climb may have. All stages remain, and all
    rows of the tables; networks and their initial weights are the real ones. Sets that a person
    decides on are taken as ranked: of the few candidates of a cut run nobody has seen any. The
    results get a folder of their own, and title, tables and pictures say what they are.

    A config that was cut is cut to itself, so that the copy beside the results can be run again.

    Args:
        config: Resolved; it is not changed.
    """
    cut = copy.deepcopy(dict(config))
    if cut["cut"] is None:
        return cut
    rules = _rules(cut["cut"], gpus=cut["gpus"]["train"])
    for group, own in rules.items():
        for options in cut[group].values():
            _apply(own, options, "")
    for options in cut["datasets"].values():
        if options.get("sbd"):
            # Of a few images, perhaps none has a mask of VOC's own.
            options["evaluate_train_on"] = "all"
    for options in cut["ood_sets"].values():
        if options["kind"] == "manual":
            options["kind"] = "none"
            for key in ("decisions", "wanted_per_class", "undecided"):
                del options[key]
    for options in cut["segmenters"].values():
        scale = max(SCALE, SMALLEST_SCALE / min(options["scales"], default=1))
        options["inference"]["scales"] = [min(scale, *options["inference"]["scales"])]
    cut["shards"] = {split: min(SHARDS, count) for split, count in cut["shards"].items()}
    _say_so(cut)
    return cut


def _rules(steps: int, *, gpus: int) -> dict[str, dict[str, Rule]]:
    """Return, by group of the config, what becomes of the options whose path ends so."""
    few, size, side, repeat = (partial(min, bound) for bound in (IMAGES, OOD_IMAGES, SIDE, steps))
    # Of as many images as there may be: `steps` steps, or fewer where there are fewer images.
    epochs = steps / max(1, IMAGES // (BATCH * gpus))
    small = {"scales": lambda scales: [min(SCALE, *scales)]}
    slow = {"learning_rate": partial(min, LEARNING_RATE)}
    return {
        "datasets": {
            "limit": lambda limit: few(limit or IMAGES),
            "labelled_limit": lambda limit: few(limit or IMAGES),
            "train": few,
            "val": few,
            "ood": few,
            "val_fraction": partial(min, VAL_FRACTION),
        },
        "ood_sets": {
            "size": size,
            # A classifier of a few steps is sure of nothing.
            "score_threshold": lambda _: 0,
            **small,
        },
        "classifiers": {
            "epochs": partial(min, epochs),
            "stop_after_epochs": partial(min, epochs),
            "iterations": repeat,
            "training_images": partial(min, DRAWN_IMAGES),
            "ood_images": partial(min, DRAWN_IMAGES),
            "batch_size": partial(min, BATCH * gpus),
            "crop_size": side,
            "resize_long": lambda sides: [*map(side, sides)],
            "clusters": partial(min, CLUSTERS),
            **slow,
        },
        "localizers": {
            "steps": repeat,
            "climb_steps": repeat,
            "iterations": repeat,
            "passes": repeat,
            "other_images": partial(min, BATCH),
            "other_size": side,
            **small,
        },
        "refiners": {
            "iterations": repeat,
            "exp_times": repeat,
            "epochs": partial(min, 1),
            "training.images.batch_size": partial(min, IRN_BATCH * gpus),
            "training.images.crop_size": side,
            **slow,
        },
        "segmenters": {
            "iterations": repeat,
            "training.images.batch_size": partial(min, BATCH * gpus),
            "training.images.crop_size": side,
            **slow,
        },
        "diagnostics": {
            "num_images": few,
            "train_images": few,
            "epochs": partial(min, 1),
            "iterations": repeat,
            # Of few points, neighbours are fewer yet.
            "perplexity": partial(min, PERPLEXITY),
        },
    }


def _apply(rules: Mapping[str, Rule], options: dict[str, Any], path: str) -> None:
    for key, value in options.items():
        place = f"{path}.{key}"
        if isinstance(value, dict):
            _apply(rules, value, place)
            continue
        for ending, rule in rules.items():
            if place.endswith(f".{ending}") and _is_numeric(value):
                options[key] = rule(value)


def _is_numeric(value: Any) -> bool:
    """Return whether a value is a number, or a list of some; names of classes may be like keys."""
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(type(one) in (int, float) for one in values)


def _say_so(cut: dict[str, Any]) -> None:
    """Give the results their own folder, and let everything that is shown say what it is."""
    steps, words = cut["cut"], f"{MARK}, the numbers mean nothing"
    if not cut["results"].endswith(SUFFIX):
        cut["results"] += SUFFIX
    _put(cut, "title", f"{MARK}: ")
    _put(
        cut,
        "introduction",
        f"{words}: at most {steps} steps of each training, {IMAGES} images of each split, views "
        f"of {SIDE} pixels; OoD images as ranked, decided on by nobody. ",
    )
    for group in ("tables", "figures", "panels", "diagnostics"):
        for options in cut[group].values():
            _put(options, "caption", f"{words}. ")


def _put(options: dict[str, Any], key: str, words: str) -> None:
    """Put words before a text, once."""
    options[key] = words + options[key].removeprefix(words)
