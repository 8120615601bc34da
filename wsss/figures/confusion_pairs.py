"""Bars of the confusion ratio of every pair of a class and a background, for several arms."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wsss.figures.bars import bar_panel
from wsss.figures.metric_names import format_value
from wsss.figures.panels import lines_and_columns, panel_grid
from wsss.figures.selection import protocol_note, select_stage
from wsss.figures.style import ArmStyle, footnote, house_style, new_figure
from wsss.figures.titles import fit_titles
from wsss.metrics.tidy import PAIR

PER_LINE = 3
# Of a panel, for the letters of `fit_titles`; those of panels are larger by a sixth.
TITLE_WIDTH = 1.45


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    stage: str,
    split: str,
    threshold_policy: str,
) -> Figure:
    """Draw one panel per pair with one horizontal bar per arm (EPS Table 2).

    A bar is the mean of m_{k,c} over random seeds, its whisker one sample standard deviation to
    each side, and the dots are the single seeds; behind it stands the mean IoU of the class in
    percent, for an arm that finds little of a class also confuses little with it.

    Args:
        table: Tidy metrics with rows `confusion_ratio` per pair (fractions).
        labels: Label of each chain, in drawing order from the top.
        styles: Look of each label.
        stage: Stage at which the chains are compared.
        split: Split of the metrics.
        threshold_policy: As in `select_stage`.

    Raises:
        ValueError: A chain is missing, or there are no pairs.
    """
    rows = select_stage(
        table, labels=labels, stage=stage, split=split, threshold_policy=threshold_policy
    )
    ratios = rows[(rows["metric"] == "confusion_ratio") & rows["class_name"].str.contains(PAIR)]
    if ratios.empty:
        raise ValueError(
            f"no rows of metric 'confusion_ratio' per pair at stage {stage!r}, split {split!r}: "
            "the data set names no background that goes with a class"
        )
    pairs = list(dict.fromkeys(ratios["class_name"]))
    names = list(dict.fromkeys(labels.values()))
    overlap = rows[rows["metric"] == "iou"].groupby(["class_name", "label"])["value"].mean()
    lines, _ = lines_and_columns(len(pairs), per_line=PER_LINE)
    titles, _ = fit_titles([_title(pair) for pair in pairs], width=TITLE_WIDTH)
    head = 0.38 + 0.17 * max(title.count("\n") + 1 for title in titles)
    with house_style():
        figure = new_figure(7.4, 0.45 + lines * (head + 0.34 * len(names)))
        grid = panel_grid(figure, len(pairs), per_line=PER_LINE, sharey=True)
        for axes, pair, title in zip(grid.flat, pairs, titles, strict=False):
            class_name = pair.split(PAIR)[0]
            own = ratios[ratios["class_name"] == pair]
            bar_panel(
                axes,
                {name: own.loc[own["label"] == name, "value"].to_numpy(float) for name in names},
                styles=styles,
                title=title,
                lower_is_better=True,
                text=_ratio,
                beside={
                    name: f"({format_value('iou', overlap[class_name, name])})" for name in names
                },
            )
        note = "pixels of the background that were marked as the class, per pixel of the class "
        note += "that was marked rightly; in brackets the IoU of the class (%); "
        footnote(figure, note + protocol_note(rows, stage, split, of="bar"))
    return figure


def _title(pair: str) -> str:
    class_name, background = pair.split(PAIR)
    return f"{class_name} with {background.replace('_', ' ')}"


def _ratio(value: float) -> str:
    return "–" if np.isnan(value) else format_value("confusion_ratio", value)
