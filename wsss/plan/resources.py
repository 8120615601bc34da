"""What a job asks a cluster for: minutes and memory.

Both are asked for in advance, so both err upwards, and each attempt asks for more than the last.
Pure functions; `wsss.plan.limits` brings them together for the rules.
"""

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from wsss.config.lookup import backbone_of, second_scale_of
from wsss.plan.amounts import Config, Wildcards
from wsss.plan.counts import EMPTY, Counts, Split
from wsss.plan.rates import Rate, expected_seconds
from wsss.plan.work import NEGLIGIBLE, NETWORK, Work

# Minutes and MB where nothing is known of a rule's rate, or of its images.
UPPER: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("extract_features", "score_ood", "cluster_ood", "erase_ood"), (240, 16000)),
    **dict.fromkeys(("train_classifier", "train_wood", "localize"), (720, 16000)),
    **dict.fromkeys(("train_irn", "walk_irn", "predict", "predict_test"), (720, 16000)),
    **dict.fromkeys(("train_psa", "walk_psa"), (720, 16000)),
    "train_segmenter": (1440, 24000),
    **dict.fromkeys(("prepare_data", "refine_maps", "label_confident"), (720, 16000)),
    **dict.fromkeys(("evaluate_seeds", "evaluate_pseudo_masks"), (240, 4000)),
    **dict.fromkeys(("choose_threshold", "make_saliency", "refine_by_saliency"), (240, 4000)),
    **dict.fromkeys(("diagnose", "diagnose_classifier"), (240, 16000)),
    "evaluate_segmentation": (240, 4000),
    **dict.fromkeys(NEGLIGIBLE, (60, 4000)),
}
SHORTEST_MINUTES = 10
# Nodes differ, and jobs wait for a shared disk.
MARGIN = 3.0
# A first attempt that asks for too little costs the whole job.
MEMORY_MARGIN = 1.3
SMALLEST_MB = 1000

# The engine itself inside a job, and libraries: those of a table or picture, those of a network.
ENGINE_MB = 300
TABLES_MB = 200
NETWORKS_MB = 700
# Of each process that loads images of a training, or refines masks, beside its images.
LOADER_MB = 450
REFINER_MB = 150
# Not measured, for want of a GPU: CUDA's libraries and the memory that its copies pass through.
GPU_MB = 3000
# Of a million rows of the index, which every stage reads whole.
INDEX_MB = 1000
# A picture or a mask takes some copies; a figure holds many: MB per million pixels.
PICTURE_MB = 60
FIGURE_MB = 300
# A CRF of 21 labels: MB per million pixels.
CRF_MB = 900
CRF_LABELS = 21
# Features, probabilities and names of a thousand images.
FEATURES_MB = 20
# A fine-tuning holds the weights that learn three times more: a copy, gradients, velocities.
LEARNING_COPIES = 3
# Features of RIB's stages that rest: MB per million pixels, of the backbone with the most.
RESTING_MB = 130
# SEAM's similarities of all positions of an image: forward and backward, at the finest stride.
SIMILARITY_COPIES = 2
SEAM_STRIDE = 8


class Network(NamedTuple):
    """What a backbone adds on a CPU: MB, and MB per million pixels of a pass by its use."""

    weights: int
    infer: int
    climb: int
    train: int
    segment: int


NETWORKS: Mapping[str, Network] = {
    "compact": Network(weights=10, infer=600, climb=600, train=1500, segment=2500),
    "efficientnet_lite0": Network(weights=80, infer=700, climb=2300, train=2700, segment=4500),
    "resnet50": Network(weights=400, infer=700, climb=2300, train=3000, segment=5500),
    # These three of single passes of two crops of 321, without a frozen stage.
    "resnet101": Network(weights=700, infer=700, climb=3000, train=4500, segment=7500),
    "vgg16": Network(weights=250, infer=1000, climb=2000, train=2700, segment=4500),
    "wide_resnet38": Network(weights=1700, infer=2000, climb=7500, train=10500, segment=16500),
    "resnet101_caffe": Network(weights=700, infer=1400, climb=9500, train=10000, segment=19000),
}


class Load(NamedTuple):
    """What of a job takes memory.

    `network` and `use` (a field of `Network`) are empty where none runs; `batch` is million pixels
    in one pass, `image` those of the largest image, `labels` those of a CRF (0: none runs),
    `kept` MB of results that a job holds until its end, `indexed` images in the data set.
    """

    network: str
    use: str
    batch: float
    image: float
    labels: int
    kept: float
    indexed: int


def runtime_minutes(
    rule: str,
    work: Work,
    rate: Rate | None,
    crf: Rate | None,
    *,
    threads: int,
    gpus: int,
    attempt: int,
) -> int:
    """Return the minutes to ask for: three times what the job should take, times the attempt.

    At least ten, or the rule's upper value where its rate or its images are not known. The rate
    of a CPU does not tell of a job on a GPU, nor the other way round.

    Args:
        rule: Name of the rule.
        work: Of the job.
        rate: Of its kind of work, if it was measured.
        crf: Of a CRF that the job may have besides.
        threads: CPU cores of the job.
        gpus: GPUs of the job.
        attempt: 1 for the first.
    """
    fits = rate is not None and (rate.device == "gpu") == (gpus > 0)
    if rate is None or work.amount is None or not fits:
        return UPPER[rule][0] * attempt
    seconds = expected_seconds(work.amount, rate, crf, threads=threads, gpus=gpus)
    return attempt * max(SHORTEST_MINUTES, ceil(MARGIN * seconds / 60))


def memory_mb(rule: str, load: Load | None, *, threads: int, gpus: int, attempt: int) -> int:
    """Return the MB of memory to ask for, times the attempt; at least 1000.

    Calibrated against the peak resident memory in 740 benchmark files (four backbones, images of
    0.002 to 0.4 million pixels, batches of 2 to 32, up to 2 threads; the engine looks every half
    second for 15 s, then every 30 s): see `tests/plan/test_resources.py` for the largest peak of
    every rule and backbone. With a GPU, what a pass needs lies in the GPU's own memory; what its
    libraries need of the node's was not measured.

    Args:
        rule: Name of the rule.
        load: What of the job takes memory; None where its images are not known, which gives the
            rule's upper value.
        threads: CPU cores of the job.
        gpus: GPUs of the job, each with a process and `threads / gpus` cores of its own.
        attempt: 1 for the first.
    """
    if load is None:
        return UPPER[rule][1] * attempt
    processes = max(1, gpus)
    own = max(1, threads // processes)
    picture = (FIGURE_MB if rule.startswith("draw_") else PICTURE_MB) * load.image
    each = TABLES_MB + load.indexed / 1e6 * INDEX_MB + load.kept + picture
    if load.network:
        network = NETWORKS[load.network]
        passing = GPU_MB if gpus else load.batch * getattr(network, load.use)
        each += NETWORKS_MB - TABLES_MB + network.weights + passing
    if rule.startswith("train_"):
        each += LOADER_MB * (own - 1)
    if rule in REFINING:
        crf = CRF_MB * load.labels / CRF_LABELS * load.image
        each += own * crf + (REFINER_MB + PICTURE_MB * load.image) * (own - 1)
    return attempt * max(SMALLEST_MB, ceil(MEMORY_MARGIN * (ENGINE_MB + processes * each)))


REFINING = frozenset({"refine_maps", "label_confident", "predict", "predict_test", "prepare_data"})


def load_of(rule: str, wildcards: Wildcards, config: Config, counts: Counts) -> Load | None:
    """Return what of a job takes memory, or None while its data set is not prepared.

    Args:
        rule: Name of its rule.
        wildcards: The names in its paths.
        config: The resolved config.
        counts: Images by data set and split.
    """
    dataset = wildcards.get("dataset", None)
    splits = counts.get(dataset) if dataset else {}
    if splits is None:
        return None
    indexed = sum(split.images for split in splits.values())
    largest = max((split.largest for split in splits.values()), default=0.0)
    plain = Load("", "", 0.0, largest, 0, 0.0, indexed)
    if rule in NETWORK:
        return _network_load(rule, wildcards, config, splits, plain)
    if rule in ("refine_maps", "label_confident"):
        # The labels of an image are its own; three times the mean covers nearly all.
        labels = ceil(3 * splits.get("train", EMPTY).labels) + 1
        return plain._replace(labels=min(labels, _labels(dataset, config)))
    return plain


def _labels(dataset: str, config: Config) -> int:
    return len(config["datasets"][dataset]["classes"]) + 1


def _network_load(
    rule: str, wildcards: Wildcards, config: Config, splits: Mapping[str, Split], plain: Load
) -> Load:
    train, ood = (splits.get(name, EMPTY) for name in ("train", "ood"))
    batch = config["inference_batch_size"]
    if rule == "train_segmenter":
        options = config["segmenters"][wildcards["segmenter"]]
        images = options["training"]["images"]
        return plain._replace(
            network=options["backbone"],
            use="segment",
            batch=_crops(images["batch_size"], images),
        )
    if rule in ("predict", "predict_test"):
        name = "val" if rule == "predict" else "test"
        shard = splits.get(name, EMPTY)
        shard = shard._replace(images=ceil(shard.images / config["shards"][name]))
        return _predicting(wildcards, config, shard, plain)
    if rule == "erase_ood":
        maps = config["ood_sets"][wildcards["ood_set"]]
        backbone = backbone_of(config, maps["ranked_by"])
        passing = ood.largest * max(scale**2 for scale in maps["maps"]["scales"]) * 2
        return plain._replace(network=backbone, use="infer", batch=passing)
    own = plain._replace(network=backbone_of(config, wildcards["classifier"]), use="infer")
    if rule in ("train_classifier", "train_wood"):
        options = config["classifiers"][wildcards["classifier"]]
        views: float = options["images"]["batch_size"]
        scale = second_scale_of(config, wildcards["classifier"])
        kept = _similarities(options["images"]) if scale else 0
        views *= 1 + scale**2
        views += options["ood_batch_size"] if options["method"] == "wood" else 0
        return own._replace(use="train", batch=_crops(views, options["images"]), kept=kept)
    if rule in ("train_irn", "train_psa"):
        images = config["refiners"][wildcards["refiner"]]["training"]["images"]
        return own._replace(use="train", batch=_crops(images["batch_size"], images))
    if rule == "walk_irn":
        filled = (config["refiners"][wildcards["refiner"]]["crop_size"] or 0) ** 2 / 1e6
        return own._replace(batch=2 * batch * max(train.largest, filled))
    if rule == "walk_psa":
        return own._replace(batch=batch * train.largest)
    if rule in ("localize", "diagnose"):
        return _localizing(config["localizers"][wildcards["localizer"]], train, own)
    if rule == "diagnose_classifier":
        return own._replace(use="climb", batch=2 * batch * train.largest)
    split = train if rule == "extract_features" else ood
    return own._replace(
        batch=batch * split.largest, kept=FEATURES_MB * split.images / 1000 * (rule != "score_ood")
    )


def _localizing(options: Config, train: Split, own: Load) -> Load:
    least = max(scale**2 for scale in options["scales"])
    # Whatever a new method does, it needs no more than a climb.
    climbs = options["method"] != "cam"
    views = max(options["batch_size"], least * (2 if climbs else 1))
    # Images of a batch come whole, whatever passes at once.
    kept = PICTURE_MB * options["batch_size"] * train.largest
    batch = views * train.largest
    if options["method"] in ("rib", "advcam_rib"):
        view = options["other_size"] ** 2 / 1e6
        batch = max(batch, view)
        of_image = 2 * sum(scale**2 for scale in options["scales"]) * train.largest
        kept += LEARNING_COPIES * NETWORKS[own.network].weights
        kept += RESTING_MB * (of_image + options["other_images"] * view)
        kept += min(options["other_memory"], RESTING_MB * view * train.images)
    return own._replace(use="climb" if climbs else "infer", batch=batch, kept=kept)


def _similarities(images: Config) -> float:
    """Return the MB of SEAM's similarities of all positions, kept for the backward pass."""
    positions = (images["crop_size"] / SEAM_STRIDE) ** 2
    return SIMILARITY_COPIES * images["batch_size"] * positions**2 * 4 / 1e6


def _crops(views: float, images: Config) -> float:
    return views * images["crop_size"] ** 2 / 1e6


def _predicting(wildcards: Wildcards, config: Config, shard: Split, plain: Load) -> Load:
    options = config["segmenters"][wildcards["segmenter"]]
    batch = config["inference_batch_size"]
    largest_view = max(scale**2 for scale in options["inference"]["scales"])
    labels = _labels(wildcards["dataset"], config)
    # Two masks of every image of the shard, and the batch's probabilities.
    masks = 2 * shard.images * shard.megapixels
    probabilities = 4 * 3 * batch * shard.largest * labels
    return plain._replace(
        network=options["backbone"],
        use="infer",
        batch=batch * shard.largest * largest_view,
        labels=labels,
        kept=masks + probabilities,
    )
