"""Which scores tables and figures ask for."""

import pytest
import yaml

from tests.source import ROOT
from wsss.config.scores import METRICS_OF, asked_scores

OPTIONS = {"contour": {"tolerance": 1}, "boundary": {"tolerance": 2}, "object_size": {"size": 3}}
CHAIN = "d/plain/cam/irn/deeplab"


def asked(links, *stages, tables=(), figures=(), always=()):
    config = {
        "evaluation": OPTIONS,
        "tables": dict(enumerate(tables)),
        "figures": dict(enumerate(figures)),
    }
    found = asked_scores(config, links.split("/"), stages=stages, always=always)
    assert all(value in (None, OPTIONS[name]) for name, value in found.items())
    return [name for name, value in found.items() if value]


def table(metric, stage="seed", chain=CHAIN):
    return {"metrics": ["miou", metric], "stage": stage, "chains": {"a": "d/f/cam", "b": chain}}


def test_every_figure_that_may_ask_has_a_stage():
    """Scores are asked for by stage; what shows several, or none, shows overlap alone."""
    defs = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))[
        "$defs"
    ]
    beyond = {name for names in METRICS_OF.values() for name in names}
    for name, schema in defs.items():
        own = schema.get("properties", {})
        if name.startswith("figure.") and "stage" not in own:
            metrics = own.get("metrics", {}).get("items", own.get("metric", {})).get("enum", ())
            assert not beyond & set(metrics), name


def test_nobody_asks():
    overlap = table("confusion_ratio")
    curve = {"figure": "threshold_curve", "chains": {"a": CHAIN}, "metrics": ["miou"]}
    assert asked("d/plain/cam", "seed", tables=[overlap], figures=[curve]) == []
    assert asked("d/plain/cam", "seed", always=["contour"]) == ["contour"]


@pytest.mark.parametrize(
    ("metric", "group"),
    [
        ("contour_f", "contour"),
        ("j_and_f", "contour"),
        ("boundary_recall", "boundary"),
        ("recall_small", "object_size"),
        ("num_classes_medium", "object_size"),
    ],
)
def test_a_column_asks_for_its_group_of_its_own_chains_at_its_stage(metric, group):
    tables = [table(metric)]
    assert asked("d/plain/cam", "seed", tables=tables) == [group]
    assert asked("d/f/cam", "seed", tables=tables) == [group]
    assert asked("d/plain/advcam", "seed", tables=tables) == []
    assert asked("d/plain/cam/irn", "pseudo_mask", tables=tables) == []
    assert asked(CHAIN, "segmentation", "segmentation_crf", tables=tables) == []
    crf = [table(metric, stage="segmentation_crf")]
    assert asked(CHAIN, "segmentation", "segmentation_crf", tables=crf) == [group]


def test_figures_ask_by_their_metrics_and_by_what_they_are():
    bars = {"figure": "metric_bars", **table("boundary_f1")}
    sizes = {"figure": "object_size", "stage": "pseudo_mask", "chains": {"a": CHAIN}}
    grid = {"figure": "metric_grid", "stage": "seed", "chains": {"a": CHAIN}, "metric": "j_and_f"}
    assert asked("d/plain/cam", "seed", figures=[grid]) == ["contour"]
    both = [bars, sizes]
    assert asked("d/plain/cam", "seed", figures=both) == ["boundary"]
    assert asked("d/plain/cam/irn", "pseudo_mask", figures=both) == ["object_size"]
