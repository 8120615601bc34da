"""IoU of every class for several arms, as dots on one line per class."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.dots import dot_key, dot_lines
from wsss.figures.selection import select_stage, stage_note
from wsss.figures.style import FAINT, ArmStyle, footnote, house_style, new_figure


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    stage: str,
    split: str,
    threshold_policy: str,
    order: Literal["gain", "name", "table"],
) -> Figure:
    """Draw the mean IoU of each class and arm; the margin gives the last arm's gain over the first.

    Args:
        table: Tidy metrics with rows `iou` per class (fractions).
        labels: Label of each chain; the first is the reference.
        styles: Look of each label.
        stage: Stage at which the chains are compared.
        split: Split of the metrics.
        threshold_policy: As in `select_stage`.
        order: Classes by gain (largest on top), by name, or as they stand in the table.

    Raises:
        ValueError: A chain is missing, or there are no rows per class.
    """
    rows = select_stage(
        table, labels=labels, stage=stage, split=split, threshold_policy=threshold_policy
    )
    rows = rows[(rows["metric"] == "iou") & (rows["class_name"] != "all")]
    if rows.empty:
        raise ValueError(f"no rows of metric 'iou' per class at stage {stage!r}, split {split!r}")
    groups = rows.groupby(["class_name", "label"], sort=False)["value"]
    mean, sd = 100 * groups.mean().unstack(), 100 * groups.std(ddof=1).unstack()
    names = list(dict.fromkeys(labels.values()))
    gain = mean[names[-1]] - mean[names[0]]
    classes = _ordered(gain, order)
    with house_style():
        figure = new_figure(7.4, 1.05 + 0.25 * len(classes))
        axes = figure.subplots()
        dot_lines(axes, mean.loc[classes, names], sd.loc[classes, names], styles=styles, reach=0.17)
        axes.set_xlabel("IoU (%)")
        if len(names) > 1:
            _margin(axes, gain[classes], names)
        dot_key(figure, names, styles)
        seeds = rows["random_seed"].nunique()
        note = f"mean of {seeds} random seeds, whisker: ± 1 sd" if seeds > 1 else "one random seed"
        chosen = (rows["threshold_policy"] == "ground_truth").any()
        footnote(figure, stage_note(stage, split, note, chosen=chosen))
    return figure


def _ordered(gain: pd.Series, order: str) -> list[str]:
    if order == "name":
        return sorted(gain.index)
    if order == "gain":
        return list(gain.sort_values(ascending=False, kind="stable").index)
    return list(gain.index)


def _margin(axes: Axes, gain: pd.Series, names: list[str]) -> None:
    for place, value in enumerate(gain):
        text = "–" if np.isnan(value) else f"{value:+.1f}".replace("-", "−")
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.text(
        1.02, 1.0, f"{names[-1]}\n− {names[0]}", transform=axes.transAxes,
        va="bottom", fontsize=7.5, color=FAINT,
    )  # fmt: skip
