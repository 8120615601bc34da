"""How a metric scatters at the values of an option (w-ood Fig. 5: number of OoD images)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.ablation import in_order, metric_panels, runs_at, value_text
from wsss.figures.selection import stage_note
from wsss.figures.style import COLOURS, INK, ArmStyle, footnote, grid_lines, house_style

MEAN = {"marker": "D", "markersize": 5, "markerfacecolor": "white", "markeredgecolor": INK}
COLOUR = COLOURS[0]


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    values: Mapping[str, Mapping[str, Any]],
    option: str,
    stage: str,
    split: str,
    threshold_policy: str,
    metrics: Sequence[str],
) -> Figure:
    """Draw one panel per metric with one box per value: quartiles, extremes, mean and single runs.

    A box holds all runs of its value: every random seed of every chain that has it, so that chains
    with other OoD images of one number make one box. Boxes stand side by side, numbers by size if
    all values are numbers, else in the order of the chains.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain.
        styles: Look of each label; here colours tell nothing.
        values: Value of each chain, by option.
        option: Of the horizontal axis.
        stage: As in `select_stage`.
        split: As in `select_stage`.
        threshold_policy: As in `select_stage`.
        metrics: One panel each.

    Raises:
        ValueError: A chain or a metric is missing.
    """
    chosen = {"stage": stage, "split": split, "threshold_policy": threshold_policy}
    with house_style():
        figure, panels = metric_panels(metrics, option)
        for metric, axes in panels.items():
            runs = runs_at(
                table, labels=labels, values=values, by=[option], metric=metric, **chosen
            )
            _boxes(axes, runs)
        footnote(figure, _explain(runs, stage, split))
    return figure


def _boxes(axes: Axes, runs: pd.DataFrame) -> None:
    places = in_order(list(runs[0]))
    found = [runs.loc[runs[0] == value, "shown"].to_numpy(float) for value in places]
    axes.boxplot(
        found, whis=(0, 100), widths=0.5, showfliers=False, showmeans=True, meanprops=MEAN,
        patch_artist=True, boxprops={"facecolor": COLOUR, "alpha": 0.25, "edgecolor": COLOUR},
        medianprops={"color": COLOUR, "linewidth": 1.8},
    )  # fmt: skip
    for number, values in enumerate(found, start=1):
        axes.plot([number] * len(values), values, "o", markersize=3, color=INK, alpha=0.7)
    axes.set_xticks(range(1, len(places) + 1), [value_text(value) for value in places])
    grid_lines(axes, "y")


def _explain(runs: pd.DataFrame, stage: str, split: str) -> str:
    counts = runs.groupby(0)["shown"].count()
    least, most = counts.min(), counts.max()
    number = f"{most}" if least == most else f"{least} to {most}"
    marks = "box: middle half, line: median, whiskers: extremes, diamond: mean, dots: single runs"
    return stage_note(stage, split, f"of {number} runs each: {marks}", chosen=runs["chosen"].any())
