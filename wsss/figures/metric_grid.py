"""A metric over the values of two options, as a heat map."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.ablation import (
    axis_title,
    explain,
    heading,
    in_order,
    mean_runs,
    runs_at,
    value_text,
)
from wsss.figures.metric_names import format_value, metric_of, scale
from wsss.figures.style import INK, ArmStyle, footnote, house_style, new_figure

# Of the colour scale, from white on: darker cells would hide their numbers.
DARKEST = 0.55


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    values: Mapping[str, Mapping[str, Any]],
    row_option: str,
    column_option: str,
    stage: str,
    split: str,
    threshold_policy: str,
    metric: str,
) -> Figure:
    """Draw one cell per chain, the darker the better; pairs of values without a chain stay empty.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain.
        styles: Look of each label; here colours tell the metric.
        values: Value of each chain, by option.
        row_option: Option of the rows.
        column_option: Option of the columns.
        stage: As in `select_stage`.
        split: As in `select_stage`.
        threshold_policy: As in `select_stage`.
        metric: Over all classes.

    Raises:
        ValueError: A chain or the metric is missing.
    """
    chosen = {"stage": stage, "split": split, "threshold_policy": threshold_policy}
    runs = runs_at(
        table, labels=labels, values=values, by=[row_option, column_option], metric=metric, **chosen
    )
    points = mean_runs(runs)
    down, across = in_order(list(points[0])), in_order(list(points[1]))
    points["text"] = [_text(metric, *row) for row in points[["mean", "std", "count"]].to_numpy()]
    cells = points.pivot(index=0, columns=1).reindex(index=down)
    means, texts = cells["mean"][across].to_numpy(float), cells["text"][across].fillna("")
    with house_style():
        figure = new_figure(7.4, 1.15 + 0.52 * len(down))
        axes = figure.subplots()
        _colour(axes, means, lower=metric_of(metric).better == "lower")
        for (row, column), text in np.ndenumerate(texts.to_numpy()):
            axes.text(column, row, text, ha="center", va="center", color=INK, fontsize=8.5)
        axes.set_xticks(range(len(across)), [value_text(value) for value in across])
        axes.set_yticks(range(len(down)), [value_text(value) for value in down])
        axes.set_xlabel(axis_title(column_option))
        axes.set_ylabel(axis_title(row_option))
        axes.set_title(heading(metric))
        footnote(figure, explain(points, stage, split))
    return figure


def _text(metric: str, mean: float, sd: float, count: float) -> str:
    one = format_value(metric, mean / scale(metric))
    return one if count == 1 else f"{one}\n± {format_value(metric, sd / scale(metric))}"


def _colour(axes: Axes, means: np.ndarray, *, lower: bool) -> None:
    """Draw the cells, the best as dark as any; white lines part them."""
    low, high = np.nanmin(means), np.nanmax(means)
    width = (high - low or 1.0) / DARKEST
    limits = (high - width, high) if lower else (low, low + width)
    colours = "Blues_r" if lower else "Blues"
    axes.imshow(means, cmap=colours, aspect="auto", vmin=limits[0], vmax=limits[1])
    axes.set_xticks(np.arange(means.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(means.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
