# What the rules of training and refinement read, and which files their code is in.
from wsss.fetch.catalogue import entry_with

WITH_OOD = named("classifiers", "method", "wood")
# They learn from the training images alone, whatever their method.
WITHOUT_OOD = set(config["classifiers"]) - set(WITH_OOD)
# Options of a classifier that say what is trained, not how.
NOT_OF_TRAININGS = (
    "method",
    "start_from",
    "threads",
    "network",
    "objective",
    "saliency",
    *config_lookup.ADDED,
)


def pool_files(w, name):
    """A file of the data set whose candidates a data set takes over, if it does."""
    pool = config["datasets"][w.dataset]["pool"]
    return [f"{R}/{pool}/{name}"] if pool else []


def start_of(w):
    """The classifier that training starts from, if it starts from one."""
    start = config["classifiers"][w.classifier]["start_from"]
    return f"{DATA}/{start}/s{{random_seed}}/classifier.safetensors" if start else []


def start_features_of(w):
    """The features of the training images under the classifier that training starts from."""
    start = config["classifiers"][w.classifier]["start_from"]
    folder = f"{DATA}/{start}/s{{random_seed}}/features"
    return [f"{folder}/{shard}.h5" for shard in shards_of("train")]


def placed(path, key, output, how):
    """A file that a person places. Where it is missed, that is said in one sentence.

    Nothing misses it where the output that is made of it is there, or where a rule may make it.
    `how` is a function that tells how to come by it.
    """
    if Path(path).exists() or Path(output).exists() or path.startswith(f"{R}/"):
        return path
    raise WorkflowError(f"{path} does not exist, which config.{key} names: {how()}")


def placed_weights(path, key, output):
    """A file of initial weights."""

    def how():
        # Only where it is told: the catalogue would be read again for every job.
        entry = entry_with(Path(path))
        fetch = (
            f"fetch it (snakemake --cores 1 fetch_{entry})" if entry else "put it there"
        )
        return f"{fetch}, or name another file"

    return placed(path, f"{key}.initial_weights", output, how)


def initial_weights_of(w):
    """The file of initial weights, if the config names one."""
    weights = config["classifiers"][w.classifier].get("initial_weights", "none")
    if weights in ("none", "package"):
        return []
    output = f"{R}/{w.dataset}/{w.classifier}/s{w.random_seed}/classifier.safetensors"
    return placed_weights(weights, f"classifiers.{w.classifier}", output)


def saliency_folders(name):
    """The folders of saliency maps of all training images, if any are named."""
    folder = f"{DATA}/saliency/{name}"
    return [f"{folder}/{shard}" for shard in shards_of("train")] if name else []


def saliency_of(w):
    """The saliency maps that a classifier learns from, if it learns from some."""
    return saliency_folders(config_lookup.saliency_of(config, w.classifier))


def pixel_labels_of(w):
    """The ground truth, if saliency maps are made from it."""
    kind = config["saliency_maps"][w.saliency]["kind"]
    return f"{DATA}/ground_truth.csv" if kind == config_saliency.KNOWN else []


def decisions_of(w):
    """The decisions that a person took on the ranked candidates of an OoD set, if there are any.

    Without, the ranking is made, and the stage that wants decisions asks for them.
    """
    path = config["ood_sets"][w.ood_set]["decisions"]
    return path if Path(path).exists() or path.startswith(f"{R}/") else []


def review_options_of(w, *more):
    """What of a set's options says when a person is done with it."""
    options = config["ood_sets"][w.ood_set]
    return {key: options[key] for key in ("wanted_per_class", "undecided", *more)}


def selected_of(w):
    """The OoD images of a W-OoD classifier."""
    return f"{DATA}/ood/{config['classifiers'][w.classifier]['ood_set']}/selected.csv"


def ranker_of(w):
    """The folder of the classifier that ranks the candidates of an OoD set."""
    options = config["ood_sets"][w.ood_set]
    return f"{DATA}/{options['ranked_by']}/s{options['ranked_by_random_seed']}"


def equal_set_of(w):
    """The OoD set whose number of images this set takes over, if it does."""
    other = config["ood_sets"][w.ood_set].get("same_size_as")
    return f"{DATA}/ood/{other}/selected.csv" if other else []


def set_options(w):
    return options_of("ood_sets", w.ood_set, *SET_KEYS)


# What only the workflow reads of an OoD set: where it comes from.
SET_KEYS = (
    "kind",
    "ranked_by",
    "ranked_by_random_seed",
    "same_size_as",
    "ranking",
    "decisions",
    "wanted_per_class",
    "undecided",
)


# The stages after the maps follow one another; begun late, they would end alone on many cores.
LONG_WAY = 10

IRN = one_of(named("refiners", "method", "irn"))
PSA = one_of(named("refiners", "method", "psa"))
# They train a network on confident labels of their own.
LEARNING = one_of(named("refiners", "method", "irn", "psa"))
REFINER_LOG = "{dataset}/{classifier}/s{random_seed}/{localizer}/{refiner}"


def thresholds_of(w):
    """The thresholds that the maps tell, if the refiner names a way of choosing one."""
    options = config["refiners"][w.refiner]
    options = options.get("labels", options)
    settings = [options[key] for key in config_thresholds.KEYS if key in options]
    named = any(config_thresholds.way_of(setting) for setting in settings)
    return f"{LOCALIZER}/background_threshold.csv" if named else []


def other_masks_of(w):
    """The pseudo-masks of the refiner that a refiner starts from, of its shard."""
    other = config["refiners"][w.refiner]["start_from"]
    return f"{LOCALIZER}/{other}/pseudo_masks/{{shard}}"


def refiner_saliency_of(w):
    """The saliency maps that a refiner takes, of its shard."""
    name = config["refiners"][w.refiner]["saliency"]
    return f"{DATA}/saliency/{name}/{{shard}}"


def refiner_file(w):
    return f"wsss/refine/{config['refiners'][w.refiner]['method']}.py"


def label_file(w):
    return f"wsss/refine/{config['refiners'][w.refiner]['method']}_labels.py"


CHAIN = ("dataset", "classifier", "localizer", "refiner", "segmenter")


def mask_scores(w, *stages):
    """The options of the scores of label maps that tables and figures ask for, and of contours."""
    links = [w[key] for key in CHAIN if key in w.keys()]
    return config_scores.asked_scores(config, links, stages=stages, always=["contour"])


SEGMENTER_LOG = (
    "{dataset}/{classifier}/s{random_seed}/{localizer}/{refiner}/{segmenter}"
)


def segmenter_files(w):
    options = config["segmenters"][w.segmenter]
    return backbone_file(options["backbone"]), "wsss/models/deeplab.py"


def segmenter_start_of(w):
    """The classifier, or the file, that a segmenter's backbone starts from."""
    weights = config["segmenters"][w.segmenter]["initial_weights"]
    if weights == "classifier":
        return f"{CLASSIFIER}/classifier.safetensors"
    if weights in ("none", "package"):
        return []
    links = w.dataset, w.classifier, w.localizer, w.refiner, w.segmenter
    output = f"{link_folder(links, w.random_seed)}/segmenter.safetensors"
    return placed_weights(weights, f"segmenters.{w.segmenter}", output)


def voc_archives(w):
    """The archives for VOC's server, of every chain in a table that ends in predictions."""
    found = [
        f"{link_folder(links_of(chain), seed)}/voc_submission{crf}.tar.gz"
        for chain, seed in wanted("tables")
        if len(links_of(chain)) == 5
        and config["datasets"][links_of(chain)[0]].get("test_root")
        for crf in ("", "_crf")
    ]
    if not found:
        raise WorkflowError(
            "there is nothing to submit: no table has a chain with a segmenter on a data set of "
            "kind voc whose test_root holds the test images"
        )
    return found
