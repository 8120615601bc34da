"""Loss and other values of a training run over its steps."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from wsss.figures.curves import Curve, draw_curve, label_line_ends, mean_curve, rolling_mean
from wsss.figures.selection import select_chains
from wsss.figures.style import ArmStyle, footnote, grid_lines, house_style, new_figure


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    columns: Sequence[str],
    smoothing: int,
    logarithmic: bool,
) -> Figure:
    """Draw one panel per column of train.csv: mean and standard deviation over random seeds.

    Args:
        table: Rows of train.csv with chain columns and `random_seed`.
        labels: Label of each chain as far as it was trained (`dataset/classifier` for classifiers).
        styles: Look of each label.
        columns: Columns to draw (loss, learning_rate, a term of the loss, images_per_second).
        smoothing: Number of logged steps in the running mean; 1 draws the values themselves.
        logarithmic: Whether the vertical axis is logarithmic.

    Raises:
        ValueError: A chain or column is missing.
    """
    rows = select_chains(table, labels=labels)
    with house_style():
        figure = new_figure(7.4, 0.35 + 2.1 * len(columns))
        for axes, column in zip(
            figure.subplots(len(columns), 1, squeeze=False, sharex=True).flat, columns, strict=True
        ):
            if logarithmic:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
                axes.yaxis.set_minor_locator(NullLocator())
            _panel(axes, rows, column, smoothing, styles)
        axes.set_xlabel("step")
        seeds = rows["random_seed"].nunique()
        band = f"band: ± 1 sd over {seeds} random seeds" if seeds > 1 else "one random seed"
        smooth = f"; running mean of {smoothing} logged steps" if smoothing > 1 else ""
        footnote(figure, band + smooth)
    return figure


def _panel(
    axes: Axes, rows: pd.DataFrame, column: str, smoothing: int, styles: Mapping[str, ArmStyle]
) -> None:
    ends = {}
    for name, own in rows.groupby("label", sort=False):
        raw = mean_curve(own.dropna(subset=[column]) if column in own else own,
                         position="step", value=column)  # fmt: skip
        if not len(raw.positions):
            continue
        curve = Curve(
            raw.positions, rolling_mean(raw.mean, smoothing), rolling_mean(raw.sd, smoothing)
        )
        draw_curve(axes, curve, styles[str(name)])
        ends[str(name)] = (curve.positions[-1], curve.mean[-1])
    axes.set_title(column.replace("_", " "))
    axes.margins(x=0)
    grid_lines(axes, "y")
    label_line_ends(axes, ends, styles, texts={name: name for name in ends}, line_height=0.11)
