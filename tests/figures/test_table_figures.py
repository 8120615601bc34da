"""Contract of every file in wsss/figures that has `draw`: it draws, and its bytes are stable."""

import importlib
import inspect
import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from tests.figures import diagnostics, synthetic
from wsss.figures.selection import CHAIN_COLUMNS
from wsss.figures.style import DPI, arm_styles, house_style, save_figure

FOLDER = Path(__file__).resolve().parents[2] / "wsss" / "figures"
FIGURES = sorted(
    path.stem for path in FOLDER.glob("*.py") if "\ndef draw(" in path.read_text(encoding="utf-8")
)
OPTIONS: dict[str, Any] = {
    "stage": "seed",
    "split": "train",
    "threshold_policy": "fixed",
    "metrics": ["miou", "precision", "confusion_ratio"],
    "metric": "miou",
    "order": "gain",
    "scores": ["precision", "recall"],
    "stages": {"seed": "train", "pseudo_mask": "train", "segmentation": "val"},
    "columns": ["loss", "loss_distance"],
    "smoothing": 5,
    "logarithmic": True,
    "noise_of": "foreground",
    "plane": "joint",
    "perplexity": 5,
    "embedding_seed": 0,
    "option": "localizers.steps",
    "lines": "classifiers",
    "row_option": "classifiers",
    "column_option": "localizers.steps",
    "values": {
        "localizers.steps": {c: 2.0 ** (n // 2) for n, c in enumerate(synthetic.LABELS)},
        "classifiers": {c: "ab"[n % 2] for n, c in enumerate(synthetic.LABELS)},
    },
}
TABLES = {
    "threshold_curve": synthetic.curve_table,
    "precision_recall": synthetic.curve_table,
    "training_curve": synthetic.training_table,
    "pixel_amplification": diagnostics.amplification_table,
    "climbing_quality": diagnostics.quality_table,
    "loss_landscape": diagnostics.landscape_table,
    "climbing_trajectory": diagnostics.trajectory_table,
    "information_bottleneck": diagnostics.bottleneck_table,
    "feature_planes": diagnostics.planes_table,
}
# Of networks of their own.
WITHOUT_CHAINS = {"information_bottleneck"}
STYLES = arm_styles(list(synthetic.CHAINS))


def draw(name: str, seeds: int = 3) -> Any:
    table = TABLES.get(name, synthetic.metrics_table)(seeds)
    if name in WITHOUT_CHAINS:
        return importlib.import_module(f"wsss.figures.{name}").draw(table, labels={}, styles=STYLES)
    depth = sum(column in table.columns for column in CHAIN_COLUMNS)
    labels: dict[str, str] = {}
    for label, chain in synthetic.CHAINS.items():
        labels.setdefault("/".join(chain[:depth]), label)
    function = importlib.import_module(f"wsss.figures.{name}").draw
    wanted = set(inspect.signature(function).parameters) - {"table", "labels", "styles"}
    assert wanted <= set(OPTIONS), f"add an example of {wanted - set(OPTIONS)} to OPTIONS"
    options = {key: OPTIONS[key] for key in wanted}
    if name == "threshold_curve":
        options["metrics"] = ["miou", "precision"]
    return function(table, labels=labels, styles=STYLES, **options)


def test_there_are_figures() -> None:
    assert len(FIGURES) >= 6


@pytest.mark.parametrize("name", FIGURES)
def test_options_are_keyword_only_without_defaults(name: str) -> None:
    parameters = inspect.signature(importlib.import_module(f"wsss.figures.{name}").draw).parameters
    for parameter in list(parameters.values())[1:]:
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is inspect.Parameter.empty


@pytest.mark.parametrize("name", FIGURES)
def test_picture_is_not_empty_and_bytes_are_stable(name: str, tmp_path: Path) -> None:
    for stem in ("first", "second"):
        figure = draw(name)
        save_figure(figure, tmp_path / f"{stem}.png")
        save_figure(figure, tmp_path / f"{stem}.pdf")
    for suffix in (".png", ".pdf"):
        first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
        assert first.read_bytes() == second.read_bytes()
    pixels = np.asarray(Image.open(tmp_path / "first.png").convert("L"))
    assert pixels.shape[1] >= 1000
    assert 0.005 < (pixels < 200).mean() < 0.6
    pdf = (tmp_path / "first.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"CreationDate" not in pdf


@pytest.mark.parametrize("name", FIGURES)
def test_one_seed_and_one_arm_can_be_drawn(name: str) -> None:
    buffer = io.BytesIO()
    draw(name, seeds=1).savefig(buffer, format="png")
    assert buffer.tell() > 5000


@pytest.mark.parametrize("name", sorted(set(FIGURES) - WITHOUT_CHAINS))
def test_a_missing_chain_is_named(name: str) -> None:
    function = importlib.import_module(f"wsss.figures.{name}").draw
    wanted = set(inspect.signature(function).parameters) - {"table", "labels", "styles"}
    table: pd.DataFrame = TABLES.get(name, synthetic.metrics_table)(1)
    absent = "scenes/absent/cam/irn/deeplab_v2"
    with pytest.raises(ValueError, match="no row for chain 'scenes/absent"):
        function(
            table,
            labels={absent: "absent"},
            styles=arm_styles(["absent"]),
            **{key: OPTIONS[key] for key in wanted},
        )


def test_titles_of_pairs_stay_apart() -> None:
    figure = draw("confusion_pairs")
    assert figure.axes[0].get_title(loc="left") == "aeroplane with\ncontrail sky"
    with house_style():
        figure.canvas.draw()
    boxes = [axes._left_title.get_window_extent() for axes in figure.axes[:3]]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize("policy", ["fixed", "ground_truth"])
@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_figure(name: str, policy: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(OPTIONS, "threshold_policy", policy)
    figure = draw(name)
    # Hinting makes letters wider here than at another resolution.
    figure.set_dpi(DPI)
    with house_style():
        figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    # Labels of ticks beyond the axes are never drawn.
    ticks = {label for axes in figure.axes
             for axis in (axes.xaxis, axes.yaxis, getattr(axes, "zaxis", axes.xaxis))
             for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
             for label in (tick.label1, tick.label2)}  # fmt: skip
    for text in set(figure.findobj(Text)) - ticks:
        if text.get_text().strip() and text.get_visible():
            box = text.get_window_extent()
            inside = box.x0 > -2 and box.y0 > -2 and box.x1 < width + 2 and box.y1 < height + 2
            assert inside, f"{text.get_text()!r} {box}"
