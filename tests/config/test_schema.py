"""The schema's options are the arguments of the functions that receive them, and no others."""

import importlib
import inspect
from typing import get_args

import pytest
import yaml

from tests.source import ROOT
from wsss.config.combinations import PACKAGED
from wsss.config.diagnostics import GIVEN, depth_of, draw_options, measure_parameters
from wsss.config.option_values import KEYS
from wsss.config.scores import METRICS_OF, SECONDS
from wsss.figures.metric_names import METRICS, SIZES
from wsss.metrics.object_size import SUFFIXES
from wsss.models.backbones.backbone import Backbone, build_backbone
from wsss.store.review_card import UNDECIDED

DEFS = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))["$defs"]

# What only the workflow reads: where something comes from, and how it is shown.
SHOWN = {"title", "caption", "section", "chains", "random_seeds"}
ORIGIN = {"ranked_by", "ranked_by_random_seed", "same_size_as", "decisions"}
# When a person is done with a set.
DECIDING = {"wanted_per_class", "undecided"}


def options(path, *leave_out):
    """The option names of a definition, or of a group of keys within it."""
    name, *groups = path.split("/")
    schema = DEFS[name]
    for group in groups:
        schema = schema["properties"][group]
    assert set(leave_out) <= set(schema["properties"]), path
    return set(schema["properties"]) - set(leave_out)


def arguments(path, *filled_by_the_script):
    """The keyword-only arguments of a function that the options fill."""
    module, name = path.split(":")
    function = getattr(importlib.import_module(f"wsss.{module}"), name)
    parameters = inspect.signature(function).parameters.values()
    own = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    defaults = [p.name for p in own.values() if p.default is not p.empty]
    assert not defaults, f"{path} has defaults of its own for {defaults}"
    # `**options: Unpack[Options]` takes the keys of a TypedDict.
    shared = [get_args(p.annotation)[0] for p in parameters if p.kind is p.VAR_KEYWORD]
    assert not any(one.__optional_keys__ for one in shared), path
    own.update(dict.fromkeys(name for one in shared for name in one.__required_keys__))
    found = {"lambda" if name == "lambda_" else name for name in own}
    assert set(filled_by_the_script) <= found, path
    return found - set(filled_by_the_script)


def names(prefix):
    return sorted(n.removeprefix(f"{prefix}.") for n in DEFS if n.startswith(f"{prefix}."))


def files(folder):
    """Names of the files of a folder that stand for a method each."""
    found = (ROOT / folder).glob("*.py")
    return sorted(path.stem for path in found if not path.stem.startswith("_"))


# The folder is the registry


def test_the_schema_knows_every_file_of_the_registries():
    assert names("localize") == files("wsss/localize")
    assert names("dataset") == files("wsss/data/sets")
    drawing = [n for n in files("wsss/figures") if hasattr(
        importlib.import_module(f"wsss.figures.{n}"), "draw")]  # fmt: skip
    assert names("diagnostic") == files("wsss/diagnose")
    assert sorted(names("figure") + names("diagnostic")) == drawing
    assert names("saliency") == files("wsss/data/saliency")
    for name in names("refine"):
        assert hasattr(importlib.import_module(f"wsss.refine.{name}"), "refine")


def test_the_schema_knows_every_backbone():
    known = set(files("wsss/models/backbones")) - {"backbone"}
    of_classifiers = DEFS["classifier.plain"]["properties"]["backbone"]["enum"]
    of_segmenters = DEFS["segment.deeplab_v2"]["properties"]["backbone"]["enum"]
    assert set(of_segmenters) == known
    assert set(of_classifiers) <= known


def test_the_config_knows_which_backbones_come_with_weights():
    own = Backbone.load_pretrained
    carried = [
        name for name in files("wsss/models/backbones")
        if name != "backbone" and build_backbone(name).load_pretrained.__func__ is not own
    ]  # fmt: skip
    assert tuple(carried) == PACKAGED


# Options and arguments


@pytest.mark.parametrize("name", names("localize"))
def test_localizers(name):
    # The threshold is the evaluation's.
    assert options(f"localize.{name}", "background_threshold") == arguments(
        f"localize.{name}:localize"
    )


@pytest.mark.parametrize("name", names("dataset"))
def test_data_sets(name):
    assert options(f"dataset.{name}", "pool") == arguments(f"data.sets.{name}:prepare", "workers")


@pytest.mark.parametrize("name", names("saliency"))
def test_saliency_maps(name):
    # Only this kind is handed pixel labels.
    given = ["ground_truth"] if name == "known" else []
    assert options(f"saliency.{name}") == arguments(f"data.saliency.{name}:saliency_maps", *given)


@pytest.mark.parametrize("name", names("figure"))
def test_figures(name):
    own = options(f"figure.{name}", *SHOWN)
    values = ["values"] if name in KEYS else []
    assert own == arguments(f"figures.{name}:draw", "labels", "styles", *values)
    assert set(KEYS.get(name, ())) <= own


@pytest.mark.parametrize("name", names("diagnostic"))
def test_diagnostics(name):
    # Those that make their own data have no chains.
    shown = SHOWN if depth_of(name) else SHOWN - {"chains"}
    shown = shown | ({"ood_set"} if "ood_images" in measure_parameters(name).given else set())
    own = options(f"diagnostic.{name}", *shown)
    measured, drawn = (
        arguments(f"diagnose.{name}:measure"), arguments(f"figures.{name}:draw", "labels", "styles")
    )  # fmt: skip
    assert own == measured | drawn
    assert measured == set(measure_parameters(name).options)
    assert drawn == set(draw_options(name))


@pytest.mark.parametrize("name", names("diagnostic"))
def test_what_a_diagnostic_is_given(name):
    given = measure_parameters(name).given
    assert set(given) - set(GIVEN) <= set(files("wsss/localize"))
    if depth_of(name):
        chain = DEFS[f"diagnostic.{name}"]["properties"]["chains"]["additionalProperties"]
        assert chain["pattern"] == r"^[^/\s]+(/[^/\s]+){@,4}$".replace("@", str(depth_of(name) - 1))


@pytest.mark.parametrize("name", ["seed", "cues", "crf"])
def test_refiners_without_training(name):
    assert options(f"refine.{name}") == arguments(f"refine.{name}:refine")


def test_refinement_by_saliency():
    own = options("refine.saliency", "start_from", "saliency")
    assert own == arguments("refine.saliency:refine")


def test_irn():
    assert options("refine.irn") == {"labels", "training", "crop_size", "walk"}
    assert options("refine.irn/labels") == arguments("refine.irn_labels:confident_labels")
    assert options("refine.irn/walk") == arguments("refine.irn:refine")
    assert arguments("models.irn:boundary_maps") == {"crop_size"}
    assert options("refine.irn/training", "images") == arguments(
        "train.irn:train_irn", "checkpoint"
    )
    assert options("refine.irn/training/images") == masked_views()


def test_psa():
    assert options("refine.psa") == {"labels", "network", "training", "walk"}
    assert options("refine.psa/labels") == arguments("refine.psa_labels:confident_labels")
    assert options("refine.psa/network") == arguments("models.psa:AffinityNet")
    assert options("refine.psa/walk") == arguments("refine.psa:refine")
    assert options("refine.psa/training", "images") == arguments(
        "train.psa:train_psa", "checkpoint"
    )
    assert options("refine.psa/training/images") == masked_views()


def test_additions_to_a_classifier_training():
    assert options("importance_sampling", "loss_weight") == arguments(
        "losses.isl:importance_sampling_loss", "generator"
    )
    assert options("feature_similarity", "weight") == arguments(
        "losses.fsl:feature_similarity_loss"
    ) | arguments("losses.fsl_gates:gate_predictions")


def masked_views():
    return arguments("train.streams:masked_stream", "random_seed", "workers")


def labelled_views():
    return arguments("train.streams:labelled_stream", "saliency", "random_seed", "workers")


ADDED = {"importance_sampling", "feature_similarity"}
# The script draws the images before it calls the library.
DRAWN = {"training_images"}
OF_WORKFLOW = {"start_from", "threads", "images", "saliency", "network", "objective"} | DRAWN


@pytest.mark.parametrize("name", ["plain", "seam", "eps", "ficklenet"])
def test_classifiers_that_learn_from_labels(name):
    start = arguments("train.networks:start_classifier", "classes", "random_seed")
    assert start == {"backbone", "initial_weights", "network", "network_options"}
    training = options(f"classifier.{name}") - OF_WORKFLOW - start - ADDED
    assert training == arguments("train.classifier:train_classifier", "checkpoint", "objective")
    assert options(f"classifier.{name}/images") == labelled_views()
    own = options(f"classifier.{name}")
    objective = options(f"classifier.{name}/objective") if "objective" in own else set()
    assert objective == arguments(f"train.objectives.{name}:losses", *ADDED)
    network = options(f"classifier.{name}/network") if "network" in own else set()
    module = "classifier" if name == "plain" else name
    assert network == arguments(f"models.{module}:build_classifier", "num_classes")


def test_wood_classifier():
    training = options(
        "classifier.wood",
        "start_from",
        "threads",
        "ood_set",
        "images",
        "ood_batch_size",
        "ood_images",
        "clusters",
        *DRAWN,
        *ADDED,
    )
    assert training == arguments(
        "train.wood:train_wood", "class_means", "cluster_means", "checkpoint", "objective"
    )
    assert options("classifier.wood/images") == labelled_views()
    assert options("classifier.wood/clusters") == arguments("ood.cluster:group_ood", "random_seed")


def test_segmenter():
    top = {"backbone", "initial_weights", "atrous_rates", "scales", "training", "inference"}
    assert options("segment.deeplab_v2", "initial_weights_saw_pixel_labels") == top
    assert options("segment.deeplab_v2/training", "images") == arguments(
        "train.segmenter:train_segmenter", "checkpoint"
    )
    assert options("segment.deeplab_v2/training/images") == masked_views()
    assert options("seed_growing") == arguments("train.growing:grown_losses", "loss")
    assert options("seed_growing/crf") == arguments("train.growing:crf_probabilities")
    recipe = arguments("models.deeplab:build_segmenter", "num_classes")
    assert recipe == {"atrous_rates", "scales"}
    assert options("segment.deeplab_v2/inference", "crf") == arguments(
        "models.segmentation:predict_probabilities"
    )
    assert options("segment.deeplab_v2/inference/crf") == arguments("refine.crf:dense_crf")


@pytest.mark.parametrize("name", sorted({"oracle", "none", "manual", "erase", "random_hard"}))
def test_ranking_of_ood_sets(name):
    assert options(f"ood_set.{name}/ranking") == arguments("ood.rank:rank_candidates", "classes")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("oracle", "ood.select:select_hard"),
        ("none", "ood.select:select_hard"),
        ("manual", "ood.select:select_hard"),
        ("random", "ood.select:select_random"),
        ("random_hard", "ood.select:select_random_hard"),
    ],
)
def test_selection_of_ood_sets(name, function):
    own = options(f"ood_set.{name}") - ORIGIN - {"ranking"}
    assert (own - DECIDING if name == "manual" else own) == arguments(function)


def test_when_a_person_is_done():
    assert options("ood_set.manual") >= DECIDING
    assert arguments("ood.undecided:check_decided", "ood_set", "folder") == DECIDING
    words = DEFS["ood_set.manual"]["properties"]["undecided"]
    assert tuple(words["enum"]) == UNDECIDED and words["default"] == "stop"


def test_erased_ood_set():
    own = options("ood_set.erase") - ORIGIN - {"ranking", "maps"}
    assert own == arguments("ood.select:select_hard") | arguments("ood.erase:erase_regions")
    assert options("ood_set.erase/maps") == arguments("localize.cam:localize", "map_stride")


def test_every_kind_of_ood_set_was_checked():
    assert names("ood_set") == ["erase", "manual", "none", "oracle", "random", "random_hard"]
    assert names("refine") == ["crf", "cues", "irn", "psa", "saliency", "seed"]
    assert names("classifier") == ["eps", "ficklenet", "plain", "seam", "wood"]
    assert names("segment") == ["deeplab_v2"]


def test_evaluation_and_tables():
    config = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
    evaluation = config["properties"]["evaluation"]["properties"]
    groups = set(evaluation) - {"thresholds"}
    assert groups == set(METRICS_OF)
    assert groups == arguments("metrics.masks:score_masks", "num_classes", "pairs")
    assert groups == arguments("metrics.seeds:FurtherSeedScores", "ignore_index")
    own = {name: set(evaluation[name]["properties"]) for name in groups}
    tolerance = arguments("metrics.contour:ContourScore", "ignore_index")
    assert own["contour"] == tolerance | arguments("metrics.region_contour:region_and_contour")
    assert own["boundary"] == arguments("metrics.boundary:BoundaryScore", "ignore_index")
    assert own["object_size"] == arguments("metrics.object_size:scores_by_size")
    leaks = ("saw_pixel_labels", "known_saliency")
    summary = arguments("report.table:summarise", "pruning", "protocols", *leaks)
    renamed = {"metric_names": "metrics", "threshold_policy": "threshold"}
    shown = options("table", "title", "caption", "notes", "random_seeds")
    assert {renamed.get(name, name) for name in summary} == shown


def test_every_metric_of_a_table_has_a_name():
    shown = DEFS["table"]["properties"]["metrics"]["items"]["enum"]
    assert set(shown) == set(METRICS) - {"iou"}
    # Figures draw what is scored; the clock's numbers are in tables alone.
    of_figures = DEFS["figure.metric_bars"]["properties"]["metrics"]["items"]["enum"]
    assert shown == [*of_figures, SECONDS]
    asked = {name for names in METRICS_OF.values() for name in names}
    assert asked < set(shown)
    assert tuple(SUFFIXES.values()) == SIZES


def test_a_default_fits_its_own_option():
    from wsss.config.resolve import _resolve

    def check(schema, path):
        for key, sub in schema.get("properties", {}).items():
            if "default" in sub and "x-select" not in sub:
                _resolve(sub["default"], sub, {"$defs": DEFS}, f"{path}.{key}")
            check(sub, f"{path}.{key}")

    for name, schema in DEFS.items():
        check(schema, name)
