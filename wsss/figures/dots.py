"""Dots of several arms on one line per group, such as a class."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wsss.figures.style import ArmStyle, grid_lines, legend_above


def dot_lines(
    axes: Axes,
    mean: pd.DataFrame,
    sd: pd.DataFrame,
    *,
    styles: Mapping[str, ArmStyle],
    reach: float,
) -> None:
    """Draw a line per row, from the lowest to the highest, and on it a dot per column.

    Args:
        axes: Where to.
        mean: Rows from the top, columns by label.
        sd: Whiskers of the same form, nan for none.
        styles: Look of each label.
        reach: How far the first and the last dot are from the line, as a share of the distance of
            two lines.
    """
    places = np.arange(len(mean))
    axes.hlines(places, mean.min(axis=1), mean.max(axis=1), color="#c4c4c4", linewidth=2.5)
    shift = np.linspace(-reach, reach, mean.shape[1]) if mean.shape[1] > 1 else np.zeros(1)
    for offset, name in zip(shift, mean.columns, strict=True):
        style = styles[name]
        axes.errorbar(
            mean[name],
            places + offset,
            xerr=sd[name].fillna(0.0),
            linestyle="",
            marker=style.marker,
            markersize=5.5,
            color=style.colour,
            elinewidth=1.1,
        )
    axes.set_yticks(places, mean.index)
    axes.set_ylim(len(mean) - 0.4, -0.6)
    axes.set_xlim(0, None)
    axes.spines["left"].set_visible(False)
    grid_lines(axes, "x")


def dot_key(figure: Figure, names: Sequence[str], styles: Mapping[str, ArmStyle]) -> None:
    """Write above a figure what the dots stand for."""
    handles = [
        Line2D([], [], linestyle="", color=styles[n].colour, marker=styles[n].marker, label=n)
        for n in names
    ]
    legend_above(figure, handles)
