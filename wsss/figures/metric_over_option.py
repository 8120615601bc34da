"""A metric over the value of an option: how sensitive a method is to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.ablation import (
    are_numbers,
    axis_title,
    explain,
    in_order,
    mean_runs,
    metric_panels,
    runs_at,
    value_text,
)
from wsss.figures.curves import label_line_ends
from wsss.figures.style import (
    ArmStyle,
    arm_styles,
    footnote,
    grid_lines,
    house_style,
)


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    values: Mapping[str, Mapping[str, Any]],
    option: str,
    lines: str | None,
    logarithmic: bool,
    stage: str,
    split: str,
    threshold_policy: str,
    metrics: Sequence[str],
) -> Figure:
    """Draw one panel per metric; whiskers are one standard deviation over random seeds.

    Numbers stand at their place on the axis; words side by side in the order of the chains, without
    a line, for nothing lies between them.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain.
        styles: Look of each label; lines here are not arms, and have looks of their own.
        values: Value of each chain, by option.
        option: Of the horizontal axis.
        lines: Option by whose value chains are joined to a line, or None for one line.
        logarithmic: Logarithmic horizontal axis, for numbers from 0 on; 0 stands a decade left of
            the smallest other number.
        stage: As in `select_stage`.
        split: As in `select_stage`.
        threshold_policy: As in `select_stage`.
        metrics: One panel each.

    Raises:
        ValueError: A chain or a metric is missing.
    """
    by = [option] if lines is None else [option, lines]
    chosen = {"stage": stage, "split": split, "threshold_policy": threshold_policy}
    with house_style():
        figure, panels = metric_panels(metrics, option)
        for metric, axes in panels.items():
            runs = runs_at(table, labels=labels, values=values, by=by, metric=metric, **chosen)
            points = mean_runs(runs)
            _panel(axes, points, lines, logarithmic=logarithmic)
        footnote(figure, explain(points, stage, split))
    return figure


def _panel(axes: Axes, points: pd.DataFrame, lines: str | None, *, logarithmic: bool) -> None:
    places = in_order(list(points[0]))
    numbers = are_numbers(places)
    if logarithmic and min(places) > 0:
        axes.set_xscale("log")
    elif logarithmic and max(places) > 0:
        # As wide as a decade is a linear part of 0.9 (Matplotlib divides it by that).
        smallest = min(value for value in places if value > 0)
        axes.set_xscale("symlog", linthresh=smallest, linscale=0.9)
    axes.set_xticks(places if numbers else range(len(places)), [value_text(v) for v in places])
    axes.minorticks_off()
    parts = [("", points)] if lines is None else list(points.groupby(1, sort=False))
    names = [_name(lines, value) for value, _ in parts]
    looks = arm_styles(names)
    ends = {}
    for name, (_, own) in zip(names, parts, strict=True):
        own = own.assign(at=[v if numbers else places.index(v) for v in own[0]]).sort_values("at")
        axes.errorbar(
            own["at"], own["mean"], yerr=own["std"] if own["std"].any() else None, capsize=2.5,
            color=looks[name].colour, linestyle=looks[name].dash if numbers else "none",
            marker=looks[name].marker, markersize=5.5, linewidth=1.8,
        )  # fmt: skip
        ends[name] = (float(own["at"].iloc[-1]), float(own["mean"].iloc[-1]))
    axes.margins(x=0.03 if numbers else 0.2)
    grid_lines(axes, "y")
    if lines is not None:
        label_line_ends(axes, ends, looks, texts={n: n for n in names}, line_height=0.1)


def _name(lines: str | None, value: Any) -> str:
    """Return what a line is called: a word alone, a number after its option's name."""
    if lines is None or isinstance(value, str):
        return str(value)
    return f"{axis_title(lines)} {value_text(value)}"
