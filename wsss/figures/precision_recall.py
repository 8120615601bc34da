"""Precision against recall of the seed while the background threshold moves."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.curves import mean_curve
from wsss.figures.selection import select_chains
from wsss.figures.style import (
    FAINT,
    GRID,
    ArmStyle,
    footnote,
    grid_lines,
    house_style,
    legend_above,
    new_figure,
)


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    split: str,
) -> Figure:
    """Draw one curve per arm: up and to the right is better; grey lines join points of equal F1.

    Args:
        table: Rows of threshold_curve.csv (fractions).
        labels: Label of each chain `dataset/classifier/localizer`.
        styles: Look of each label.
        split: Split of the metrics.

    Raises:
        ValueError: A chain is missing.
    """
    rows = select_chains(table[table["split"] == split], labels=labels)
    with house_style():
        figure = new_figure(6.0, 4.6)
        axes = figure.subplots()
        handles = []
        for name, own in rows.groupby("label", sort=False):
            style = styles[str(name)]
            recall = 100 * mean_curve(own, position="threshold", value="recall").mean
            precision = 100 * mean_curve(own, position="threshold", value="precision").mean
            handles += axes.plot(
                recall, precision, color=style.colour, linestyle=style.dash, linewidth=1.8,
                marker=style.marker, markersize=4.5, label=str(name),
                markevery=max(1, len(recall) // 8),
            )  # fmt: skip
        axes.set_xlabel("Recall (%)")
        axes.set_ylabel("Precision (%)")
        grid_lines(axes, "both")
        _equal_f1(axes)
        legend_above(figure, handles)
        seeds = rows["random_seed"].nunique()
        spread = f"mean of {seeds} random seeds" if seeds > 1 else "one random seed"
        note = f"seed, {split} split; {spread}, one point per background threshold"
        footnote(figure, f"{note}; grey: equal F1")
    return figure


def _equal_f1(axes: Axes) -> None:
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    for f1 in range(10, 100, 10):
        recall = np.linspace(max(left, f1 / 2 + 0.5), right, 200)
        precision = f1 * recall / (2 * recall - f1)
        inside = (precision >= bottom) & (precision <= top)
        if inside.sum() > 10:
            axes.plot(recall[inside], precision[inside], color=GRID, linewidth=1.0, zorder=0.5)
            place = -1 if recall[inside][-1] > right - 0.01 else inside.sum() * 3 // 4
            axes.text(
                recall[inside][place], precision[inside][place], f" F1 {f1} ", fontsize=7,
                color=FAINT, va="center", ha="left" if place == -1 else "center", zorder=0.6,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.grid(visible=False)
