"""Bars of several arms for several metrics, with the spread over random seeds."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from wsss.figures.bars import bar_panel
from wsss.figures.metric_names import format_value, metric_of, scale
from wsss.figures.panels import lines_and_columns, panel_grid
from wsss.figures.selection import overall, protocol_note, select_stage
from wsss.figures.style import ArmStyle, footnote, house_style, new_figure

PER_LINE = 3


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
    lines, _ = lines_and_columns(len(metrics), per_line=PER_LINE)
    with house_style():
        figure = new_figure(7.4, 0.45 + lines * (0.55 + 0.34 * len(names)))
        grid = panel_grid(figure, len(metrics), per_line=PER_LINE, sharey=True)
        for axes, metric in zip(grid.flat, metrics, strict=False):
            own, shown = overall(rows, metric), metric_of(metric)
            bar_panel(
                axes,
                {
                    name: scale(metric) * own.loc[own["label"] == name, "value"].to_numpy(float)
                    for name in names
                },
                styles=styles,
                title=shown.heading,
                lower_is_better=shown.better == "lower",
                text=partial(_text, metric),
                beside={},
            )
        footnote(figure, protocol_note(rows, stage, split, of="bar"))
    return figure


def _text(metric: str, value: float) -> str:
    return format_value(metric, value / scale(metric))
