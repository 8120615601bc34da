"""The amount of work of a job, by rule: images, million pixels of results, megapixel-passes.

Every measure takes the names in the job's paths, the resolved config, and the counts of the job's
data set.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from wsss.config.lookup import second_scale_of, sized_set_of
from wsss.config.references import STAGE_LINKS
from wsss.config.scores import asked_scores
from wsss.plan.counts import EMPTY, Split

Config = Mapping[str, Any]
Splits = Mapping[str, Split]


class Wildcards(Protocol):
    """The names in a job's paths: a dictionary, or the engine's own kind of one."""

    def __getitem__(self, key: str, /) -> Any:
        """Return the value of a name."""

    def get(self, key: str, default: Any, /) -> Any:
        """Return the value of a name, or the default where there is none."""


class Amount(NamedTuple):
    """Images (of a training: views), million pixels of results, and megapixel-passes.

    The results of `localize` are a map for each (image, class) pair. `crf_passes` are those of a
    CRF on the CPU that a network's job has besides.
    """

    images: int
    megapixels: float
    passes: float
    crf_passes: float = 0.0


Measure = Callable[[Wildcards, Config, Splits], Amount]

# Building a CRF's kernels for an image takes as long as this many iterations of one label: on two
# data sets, with 5 and 10 iterations, 20 gave one rate for all (within a tenth on each).
KERNELS = 20
# FickleNet's passes of random choices that take as long as a view's features: with the paper's
# network, on a CPU. (With a compact network it is a tenth to a third of that.)
CHOICES = 400

CHAIN = ("dataset", "classifier", "localizer", "refiner", "segmenter")
# On images of 375 x 500, scoring seeds took 5.7 ms each; with contours 16, with boundaries 33, at
# four thresholds. Contours of masks are always scored; boundaries take as long as all else.
SEED_PASSES = {"contour": 2, "boundary": 5}
BOUNDARY_PASSES = 1


def shard_size(images: int, wildcards: Wildcards, shards: int) -> int:
    """Return the number of every `shards`-th image from the job's shard on."""
    return max(0, -(-(images - int(wildcards["shard"])) // shards))


def set_size(name: str, config: Config, splits: Splits) -> int:
    """Return the number of images of an OoD set, or where nobody knows it yet, the most it can be.

    Args:
        name: Of the set.
        config: The resolved config.
        splits: Counts of its data set.
    """
    options = config["ood_sets"][sized_set_of(config, name)]
    candidates = splits.get("ood", EMPTY).images
    return min(options["size"] or candidates, candidates)


def drawn(number: int | None, images: int) -> int:
    """Return how many of some images a training is with: a number of them, or None for all."""
    return images if number is None else min(number, images)


def steps_at(scale: float, *, steps: int, half_scale_steps: str) -> int:
    """Return AdvCAM's steps at a scale: those of `wsss.localize.advcam`, which imports torch."""
    if scale != 0.5 or half_scale_steps == "same":
        return steps
    return steps // 2 if steps > 10 else min(steps, 5)


def _squares(scales: list[float]) -> float:
    return sum(scale**2 for scale in scales)


def _of_images(images: int, split: Split, passes_each: float = 1.0) -> Amount:
    megapixels = images * split.megapixels
    return Amount(images, megapixels, megapixels * passes_each)


def prepared(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of a data set: every image is read, or drawn, once."""
    megapixels = sum(split.images * split.megapixels for split in splits.values())
    return Amount(sum(split.images for split in splits.values()), megapixels, megapixels)


def once(name: str) -> Measure:
    """Return the measure of a rule that sees every image of a split, or of its shard, once."""

    def amount(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
        split = splits.get(name, EMPTY)
        whole = wildcards.get("shard", None) is None
        images = split.images
        return _of_images(
            images if whole else shard_size(images, wildcards, config["shards"][name]), split
        )

    return amount


def clustered(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of clustering: the OoD images of the training pass once."""
    options = config["classifiers"][wildcards["classifier"]]
    images = drawn(options["ood_images"], set_size(options["ood_set"], config, splits))
    return _of_images(images, splits.get("ood", EMPTY))


def erased(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of erasing: class activation maps of the OoD set's images."""
    name = wildcards["ood_set"]
    views = 2 * _squares(config["ood_sets"][name]["maps"]["scales"])
    return _of_images(set_size(name, config, splits), splits.get("ood", EMPTY), views)


def _steps(epochs: float, batch_size: int, images: int) -> int:
    """Return the steps of a training, as `wsss.train` counts them."""
    return max(1, round(epochs * max(1, images // batch_size)))


def _of_views(views: int, crop_size: int, passes_each: float = 1.0) -> Amount:
    megapixels = views * crop_size**2 / 1e6
    return Amount(views, megapixels, megapixels * passes_each)


def classifier(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of training a classifier, with OoD images or without."""
    options = config["classifiers"][wildcards["classifier"]]
    images = options["images"]
    batch = images["batch_size"]
    epochs = options.get("stop_after_epochs") or options["epochs"]
    trained = drawn(options["training_images"], splits.get("train", EMPTY).images)
    steps = _steps(epochs, batch, trained)
    if options["method"] == "wood":
        # A step up their own score is a pass of the OoD images, forward and backward, too.
        batch += options["ood_batch_size"] * (2 if options["perturbation_step"] else 1)
    amount = _of_views(steps * batch, images["crop_size"])
    # SEAM's second view of every training image.
    scale = second_scale_of(config, wildcards["classifier"])
    second = _of_views(steps * images["batch_size"], images["crop_size"], scale**2)
    return amount._replace(passes=amount.passes + second.passes)


def localized(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of the maps of a shard of the training images."""
    options, split = config["localizers"][wildcards["localizer"]], splits.get("train", EMPTY)
    images = shard_size(split.images, wildcards, config["shards"]["train"])
    # A new method counts like class activation maps until it is known here.
    passes = LOCALIZED.get(options["method"], _looked_at)(options, split)
    return Amount(images, images * split.labels * split.megapixels, images * passes)


def _looked_at(options: Config, split: Split) -> float:
    return 2 * _squares(options["scales"]) * split.megapixels


def _climbed(options: Config, split: Split) -> float:
    steps = {key: options[key] for key in ("steps", "half_scale_steps")}
    # Every (image, class) pair climbs alone: forward and backward, but for the last step.
    climbed = sum(scale**2 * (2 * steps_at(scale, **steps) - 1) for scale in options["scales"])
    return 2 * split.labels * split.megapixels * climbed


def _climbed_and_fine_tuned(options: Config, split: Split) -> float:
    # Of a state that climbs, the first look is the fine-tuning's: once more, for itself.
    climbs = {**options, "steps": options["climb_steps"]}
    states = 1
    if options["climbed_states"] == "all":
        states = options["steps"] + (options["accumulation"] == "paper")
    return _fine_tuned(options, split) + states * _climbed(climbs, split)


def _fine_tuned(options: Config, split: Split) -> float:
    # All classes of an image learn together, from its larger views and from others: forward and
    # backward, and a last look. (Stages that rest pass once, but others' only if they are kept.)
    moves = options["steps"] - (options["accumulation"] == "official")
    least = min(options["least_learnt_scale"], max(options["scales"]))
    learnt = [scale for scale in options["scales"] if scale >= least]
    own = 2 * ((moves + 1) * _squares(options["scales"]) + moves * _squares(learnt))
    others = min(options["other_images"], max(0, split.images - 1))
    return own * split.megapixels + 2 * moves * others * options["other_size"] ** 2 / 1e6


def _chosen(options: Config, split: Split) -> float:
    return _looked_at(options, split) * (1 + options["passes"] / CHOICES)


LOCALIZED: Mapping[str, Callable[[Config, Split], float]] = {
    "advcam": _climbed,
    "advcam_rib": _climbed_and_fine_tuned,
    "rib": _fine_tuned,
    "ficklenet": _chosen,
}


def diagnosed(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of a diagnostic: its images, each in every step of the localizer.

    What else a kind does with an image is in its own rate.
    """
    options, split = config["diagnostics"][wildcards["name"]], splits.get("train", EMPTY)
    localizer = wildcards.get("localizer", None)
    steps = config["localizers"][localizer].get("steps", 1) if localizer else 1
    return _of_images(min(options.get("num_images", split.images), split.images), split, 2 * steps)


def refined(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of masks from maps alone, of a shard of the training images."""
    options, split = config["refiners"][wildcards["refiner"]], splits.get("train", EMPTY)
    images = shard_size(split.images, wildcards, config["shards"]["train"])
    if "iterations" not in options:
        return _of_images(images, split)
    return _of_images(images, split, KERNELS + (split.labels + 1) * options["iterations"])


def labelled(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of a refiner's confident labels of a shard of the training images."""
    options, split = config["refiners"][wildcards["refiner"]], splits.get("train", EMPTY)
    images = shard_size(split.images, wildcards, config["shards"]["train"])
    # Two CRFs of one image, which share its kernels.
    iterations = 2 * options["labels"]["iterations"]
    return _of_images(images, split, KERNELS + (split.labels + 1) * iterations)


def irn(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of training IRN."""
    options = config["refiners"][wildcards["refiner"]]["training"]
    images = options["images"]
    per_epoch = _steps(1, images["batch_size"], splits.get("train", EMPTY).images)
    steps = _steps(options["epochs"], images["batch_size"], splits.get("train", EMPTY).images)
    # After the training, one more epoch for the mean displacement.
    return _of_views((steps + per_epoch) * images["batch_size"], images["crop_size"])


def psa(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of training AffinityNet."""
    options = config["refiners"][wildcards["refiner"]]["training"]
    images = options["images"]
    steps = _steps(options["epochs"], images["batch_size"], splits.get("train", EMPTY).images)
    return _of_views(steps * images["batch_size"], images["crop_size"])


def walked(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of IRN's random walks of a shard of the training images."""
    split = splits.get("train", EMPTY)
    images = shard_size(split.images, wildcards, config["shards"]["train"])
    filled = (config["refiners"][wildcards["refiner"]]["crop_size"] or 0) ** 2 / 1e6
    amount = _of_images(images, split)
    return amount._replace(passes=images * 2 * max(split.megapixels, filled))


# Pixels per cell of a segmenter's map, by backbone.
STRIDES = {
    **dict.fromkeys(("resnet101_caffe", "wide_resnet38", "vgg16", "compact"), 8),
    **dict.fromkeys(("resnet50", "resnet101", "efficientnet_lite0"), 16),
}


def segmented(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of training a segmenter, with the CRF of its maps if a seed grows."""
    options = config["segmenters"][wildcards["segmenter"]]
    training = options["training"]
    images = training["images"]
    views = training["iterations"] * training["iter_size"] * images["batch_size"]
    found = _of_views(views, images["crop_size"], 1 + _squares(options["scales"]))
    growing = training["seed_growing"]
    if growing is None or (growing["grown_by"] == "network" and not growing["boundary_weight"]):
        return found
    labels = len(config["datasets"][wildcards["dataset"]]["classes"]) + 1
    crf = (KERNELS + labels * growing["crf"]["iterations"]) / STRIDES[options["backbone"]] ** 2
    # The process of each GPU computes its own, whatever the threads that a job's time is shared by.
    alone = config["threads"]["train"] / config["gpus"]["train"]
    return found._replace(crf_passes=found.megapixels * crf * alone)


def predicted(name: str) -> Measure:
    """Return the measure of the predictions of a shard of a split."""

    def amount(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
        options, split = config["segmenters"][wildcards["segmenter"]], splits.get(name, EMPTY)
        images = shard_size(split.images, wildcards, config["shards"][name])
        inference = options["inference"]
        views = _squares(inference["scales"]) * (2 if inference["flip"] else 1)
        labels = len(config["datasets"][wildcards["dataset"]]["classes"]) + 1
        crf = KERNELS + labels * inference["crf"]["iterations"]
        found = _of_images(images, split, views * (1 + _squares(options["scales"])))
        return found._replace(crf_passes=found.megapixels * crf)

    return amount


def scored_seeds(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of scoring seeds: outlines, if asked for, at a few thresholds each."""
    asked = _asked(wildcards, config, "seed")
    each = 1 + sum(passes for name, passes in SEED_PASSES.items() if asked[name])
    split = splits.get("train", EMPTY)
    return _of_images(split.images, split, each)


def scored_pseudo_masks(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of scoring pseudo-masks."""
    split = splits.get("train", EMPTY)
    return _of_images(split.images, split, _mask_passes(wildcards, config, "pseudo_mask"))


def scored_predictions(wildcards: Wildcards, config: Config, splits: Splits) -> Amount:
    """Return the amount of scoring predictions: as they are, and after the CRF."""
    split = splits.get("val", EMPTY)
    each = _mask_passes(wildcards, config, "segmentation", "segmentation_crf")
    return _of_images(split.images, split, 2 * each)


def _mask_passes(wildcards: Wildcards, config: Config, *stages: str) -> int:
    return 1 + BOUNDARY_PASSES * bool(_asked(wildcards, config, *stages)["boundary"])


def _asked(wildcards: Wildcards, config: Config, *stages: str) -> Config:
    links = [wildcards.get(link, "") for link in CHAIN]
    depth = max(STAGE_LINKS[stage] for stage in stages)
    return asked_scores(config, links[:depth], stages=stages)
