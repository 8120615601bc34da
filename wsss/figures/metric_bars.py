"""Bars of several arms for several metrics, with the spread over random seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.metric_names import format_value, metric_of, scale
from wsss.figures.selection import STAGE_TITLES, overall, select_stage
from wsss.figures.style import (
    FAINT,
    INK,
    ArmStyle,
    footnote,
    grid_lines,
    house_style,
    new_figure,
)


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    stage: str,
    split: str,
    threshold_policy: str,
    metrics: Sequence[str],
) -> Figure:
    """Draw one panel per metric with one horizontal bar per arm.

    A bar is the mean over random seeds, its whisker one sample standard deviation to each side,
    and the dots are the single seeds. Percentages start at zero.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain, in drawing order from the top.
        styles: Look of each label.
        stage: Stage at which the chains are compared.
        split: Split of the metrics.
        threshold_policy: As in `select_stage`.
        metrics: Metric names, one panel each.

    Raises:
        ValueError: A chain or a metric is missing from the table.
    """
    rows = select_stage(
        table, labels=labels, stage=stage, split=split, threshold_policy=threshold_policy
    )
    names = list(dict.fromkeys(labels.values()))
    panels_per_line = min(len(metrics), 3)
    lines = -(-len(metrics) // panels_per_line)
    with house_style():
        figure = new_figure(7.4, 0.45 + lines * (0.55 + 0.34 * len(names)))
        grid = figure.subplots(lines, panels_per_line, squeeze=False, sharey=True)
        for axes, metric in zip(grid.flat, metrics, strict=False):
            _panel(axes, overall(rows, metric), metric, names, styles)
        for axes in grid.flat[len(metrics) :]:
            axes.set_visible(False)
        seeds = rows["random_seed"].nunique()
        footnote(figure, _explain(seeds, stage, split, rows))
    return figure


def _panel(
    axes: Axes,
    rows: pd.DataFrame,
    metric: str,
    names: Sequence[str],
    styles: Mapping[str, ArmStyle],
) -> None:
    largest = scale(metric) * float(np.nanmax(rows["value"]))
    for place, name in enumerate(names):
        values = scale(metric) * rows.loc[rows["label"] == name, "value"].to_numpy(float)
        mean = float(np.nanmean(values))
        sd = float(np.nanstd(values, ddof=1)) if len(values) > 1 else 0.0
        axes.barh(place, mean, height=0.66, color=styles[name].colour, alpha=0.85)
        if len(values) > 1:
            axes.errorbar(mean, place, xerr=sd, color=INK, linewidth=1.1, capsize=2.5)
            offsets = np.linspace(-0.2, 0.2, len(values))
            axes.scatter(
                values, place + offsets, s=7, color="white", edgecolor=INK, linewidth=0.6, zorder=3
            )
        factor = scale(metric)
        text = format_value(metric, mean / factor)
        text += f" ± {format_value(metric, sd / factor)}" if len(values) > 1 else ""
        right = max(mean + sd, float(np.nanmax(values)))
        axes.text(right + 0.03 * largest, place, text, va="center", fontsize=8)
    axes.set_xlim(0, largest * 1.48)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_title(metric_of(metric).heading)
    if metric_of(metric).better == "lower":
        axes.set_xlabel("lower is better", fontsize=7.5, color=FAINT)
    axes.spines["bottom"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    grid_lines(axes, "x")


def _explain(seeds: int, stage: str, split: str, rows: pd.DataFrame) -> str:
    spread = (
        f"bar: mean of {seeds} random seeds, whisker: ± 1 standard deviation, dots: single seeds"
        if seeds > 1
        else "one random seed"
    )
    chosen = (rows["threshold_policy"] == "ground_truth").any()
    note = "; threshold CHOSEN WITH GROUND TRUTH" if chosen else ""
    return f"{STAGE_TITLES[stage]}, {split} split; {spread}{note}"
