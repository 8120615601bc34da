"""Metrics of the seed over the background threshold."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.curves import Curve, draw_curve, label_line_ends, mean_curve
from wsss.figures.metric_names import metric_of, scale
from wsss.figures.selection import select_chains
from wsss.figures.style import ArmStyle, footnote, grid_lines, house_style, new_figure


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    split: str,
    metrics: Sequence[str],
) -> Figure:
    """Draw one panel per metric: mean over random seeds, band of one standard deviation.

    A ring marks the best threshold of each arm, which only someone with ground truth can know.

    Args:
        table: Rows of threshold_curve.csv (fractions).
        labels: Label of each chain `dataset/classifier/localizer`.
        styles: Look of each label.
        split: Split of the metrics.
        metrics: Columns to draw, one panel each.

    Raises:
        ValueError: A chain or column is missing.
    """
    rows = select_chains(table[table["split"] == split], labels=labels)
    with house_style():
        figure = new_figure(7.4, 0.35 + 2.55 * len(metrics))
        for axes, metric in zip(
            figure.subplots(len(metrics), 1, squeeze=False).flat, metrics, strict=True
        ):
            _panel(axes, rows, metric, styles)
        axes.set_xlabel("background threshold")
        seeds = rows["random_seed"].nunique()
        band = f"band: ± 1 sd over {seeds} random seeds" if seeds > 1 else "one random seed"
        footnote(
            figure,
            f"seed, {split} split; {band}; ring: best threshold, known only with ground truth",
        )
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, metric: str, styles: Mapping[str, ArmStyle]) -> None:
    ends, texts = {}, {}
    lower = metric_of(metric).better == "lower"
    for name, own in rows.groupby("label", sort=False):
        curve = mean_curve(own, position="threshold", value=metric)
        curve = Curve(curve.positions, scale(metric) * curve.mean, scale(metric) * curve.sd)
        draw_curve(axes, curve, styles[str(name)])
        best = int(np.nanargmin(curve.mean) if lower else np.nanargmax(curve.mean))
        top = (curve.positions[best], curve.mean[best])
        axes.plot(*top, "o", markersize=7, markerfacecolor="white", markeredgewidth=1.6,
                  color=styles[str(name)].colour)  # fmt: skip
        ends[str(name)] = (curve.positions[-1], curve.mean[-1])
        texts[str(name)] = f"{name}\nbest {top[1]:.1f} at {top[0]:.2f}"
        if not metric_of(metric).percent:
            texts[str(name)] = f"{name}\nbest {top[1]:.2f} at {top[0]:.2f}"
    axes.set_title(metric_of(metric).heading)
    axes.margins(x=0)
    grid_lines(axes, "y")
    label_line_ends(axes, ends, styles, texts=texts, line_height=0.17)
