"""How much work a job is, as images that pass through a network or another computation.

One megapixel-pass is a million pixels that go once through a network, or once through a CRF's
iteration for one label. What a pass holds differs between rules (a training's goes forward and
backward), but within one kind passes cost about the same: a rate (`wsss.plan.rates`) is seconds per
megapixel-pass of a kind. Everything here is plain arithmetic on plain data, for the engine asks it
at its start, for thousands of jobs.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from wsss.config.lookup import backbone_of, training_threads
from wsss.plan import amounts
from wsss.plan.amounts import Amount, Config, Measure, Wildcards
from wsss.plan.counts import Counts


class Work(NamedTuple):
    """The work of one job; `amount` is None while its data set is not prepared."""

    kind: str
    amount: Amount | None


# The kind of work of every dense CRF.
CRF = "crf"

# Seconds, whatever the data set: tables of a few thousand rows, a picture of a few images. Ranking
# took 13 s for nine million candidates (docs/benchmark.md).
NEGLIGIBLE = frozenset(
    {
        *("write_config", "collect_metrics", "make_table", "write_report"),
        *("draw_figure", "draw_data_sheet", "draw_ood_sheet"),
        *("draw_map_panel", "draw_chain_panel", "draw_cluster_panel"),
        *("diagnose_toy", "draw_diagnostic"),
        *("rank_ood", "prepare_review", "decide_oracle", "decide_none", "decide_manual"),
        *("select_hard", "select_random", "select_random_hard", "submit_voc"),
    }
)


def work_of(rule: str, wildcards: Wildcards, config: Config, counts: Counts) -> Work:
    """Return the work of a job.

    Args:
        rule: Name of its rule.
        wildcards: The names in its paths (dataset, classifier, ..., shard).
        config: The resolved config.
        counts: Images by data set and split, see `wsss.plan.counts`.

    Raises:
        KeyError: The rule is unknown here.
    """
    if rule in NEGLIGIBLE:
        return Work(rule, Amount(0, 0.0, 0.0))
    kind_of, amount_of = RULES[rule]
    splits = counts.get(wildcards["dataset"])
    kind = kind_of(rule, wildcards, config)
    return Work(kind, None if splits is None else amount_of(wildcards, config, splits))


def threads_of(rule: str, wildcards: Wildcards, config: Config) -> int:
    """Return how many CPU threads a job asks for, as the rules do.

    Args:
        rule: Name of its rule.
        wildcards: The names in its paths.
        config: The resolved config.
    """
    if rule in ("train_classifier", "train_wood"):
        return training_threads(config, wildcards["classifier"])
    if rule == "prepare_data":
        return 4
    group = THREADS.get(rule)
    return int(config["threads"][group]) if group else 1


def gpus_of(rule: str, config: Config) -> int:
    """Return how many GPUs a job asks for, as the rules do.

    Args:
        rule: Name of its rule.
        config: The resolved config.
    """
    if rule not in NETWORK:
        return 0
    return int(config["gpus"]["train"]) if rule.startswith("train_") else 1


THREADS = {
    **dict.fromkeys(("train_irn", "train_psa", "train_segmenter"), "train"),
    **dict.fromkeys(("extract_features", "cluster_ood", "score_ood", "erase_ood"), "infer"),
    **dict.fromkeys(("localize", "walk_irn", "walk_psa", "predict", "predict_test"), "infer"),
    **dict.fromkeys(("refine_maps", "label_confident"), "crf"),
    **dict.fromkeys(("diagnose", "diagnose_classifier", "diagnose_toy"), "infer"),
}

# Rules that run a network and ask for a GPU.
NETWORK = frozenset(
    {
        *("train_classifier", "train_wood", "train_irn", "train_psa", "train_segmenter"),
        *("extract_features", "cluster_ood", "score_ood", "erase_ood"),
        *("localize", "walk_irn", "walk_psa", "predict", "predict_test"),
        *("diagnose", "diagnose_classifier"),
    }
)


def _rule_alone(rule: str, wildcards: Wildcards, config: Config) -> str:
    return rule


def _with_kind(rule: str, wildcards: Wildcards, config: Config) -> str:
    return f"{rule}:{config['datasets'][wildcards['dataset']]['kind']}"


def _with_backbone(rule: str, wildcards: Wildcards, config: Config) -> str:
    return f"{rule}:{backbone_of(config, wildcards['classifier'])}"


def _features(rule: str, wildcards: Wildcards, config: Config) -> str:
    """The rules that put whole images through a classifier once have one rate."""
    return f"features:{backbone_of(config, wildcards['classifier'])}"


def _localizer(rule: str, wildcards: Wildcards, config: Config) -> str:
    options = config["localizers"][wildcards["localizer"]]
    return _maps(options["method"], backbone_of(config, wildcards["classifier"]), options)


def _diagnostic(rule: str, wildcards: Wildcards, config: Config) -> str:
    kind = config["diagnostics"][wildcards["name"]]["diagnostic"]
    return f"diagnose:{kind}:{backbone_of(config, wildcards['classifier'])}"


def _eraser(rule: str, wildcards: Wildcards, config: Config) -> str:
    options = config["ood_sets"][wildcards["ood_set"]]
    return _maps("cam", backbone_of(config, options["ranked_by"]), options["maps"])


def _maps(method: str, backbone: str, options: Config) -> str:
    half = "" if options["precision"] == "full" else f":{options['precision']}"
    return f"localize:{method}:{backbone}{half}"


def _refiner(rule: str, wildcards: Wildcards, config: Config) -> str:
    method = config["refiners"][wildcards["refiner"]]["method"]
    # Two thresholds take the time of one: reading the maps and writing masks.
    return CRF if method == CRF else f"{rule}:{'seed' if method == 'cues' else method}"


def _segmenter(rule: str, wildcards: Wildcards, config: Config) -> str:
    return f"{rule}:{config['segmenters'][wildcards['segmenter']]['backbone']}"


def _predictor(rule: str, wildcards: Wildcards, config: Config) -> str:
    """Test images are predicted at the rate of validation images."""
    return _segmenter("predict", wildcards, config)


def _saliency(rule: str, wildcards: Wildcards, config: Config) -> str:
    options = config["saliency_maps"][wildcards["saliency"]]
    return ":".join([rule, options["kind"], *filter(None, [options.get("method")])])


def _crf(rule: str, wildcards: Wildcards, config: Config) -> str:
    return CRF


def _masks(rule: str, wildcards: Wildcards, config: Config) -> str:
    return "evaluate_masks"


Kind = Callable[[str, Wildcards, Config], str]

RULES: Mapping[str, tuple[Kind, Measure]] = {
    "prepare_data": (_with_kind, amounts.prepared),
    "make_saliency": (_saliency, amounts.once("train")),
    "train_classifier": (_with_backbone, amounts.classifier),
    "extract_features": (_features, amounts.once("train")),
    "score_ood": (_features, amounts.once("ood")),
    "cluster_ood": (_features, amounts.clustered),
    "erase_ood": (_eraser, amounts.erased),
    "train_wood": (_with_backbone, amounts.classifier),
    "localize": (_localizer, amounts.localized),
    "choose_threshold": (_rule_alone, amounts.once("train")),
    "evaluate_seeds": (_rule_alone, amounts.scored_seeds),
    "refine_maps": (_refiner, amounts.refined),
    "label_confident": (_crf, amounts.labelled),
    "train_irn": (_with_backbone, amounts.irn),
    "walk_irn": (_with_backbone, amounts.walked),
    "refine_by_saliency": (_rule_alone, amounts.once("train")),
    "train_psa": (_with_backbone, amounts.psa),
    "walk_psa": (_with_backbone, amounts.once("train")),
    "evaluate_pseudo_masks": (_masks, amounts.scored_pseudo_masks),
    "train_segmenter": (_segmenter, amounts.segmented),
    "predict": (_segmenter, amounts.predicted("val")),
    "predict_test": (_predictor, amounts.predicted("test")),
    "evaluate_segmentation": (_masks, amounts.scored_predictions),
    "diagnose": (_diagnostic, amounts.diagnosed),
    "diagnose_classifier": (_diagnostic, amounts.diagnosed),
}
