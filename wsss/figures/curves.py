"""Shared parts of figures with lines: means and bands over random seeds, labels at the lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from wsss.figures.style import ArmStyle, spread


@dataclass(frozen=True)
class Curve:
    """Mean and sample standard deviation over random seeds at each position."""

    positions: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def mean_curve(rows: pd.DataFrame, *, position: str, value: str) -> Curve:
    """Return the curve of a column over another, summarised over random seeds.

    Raises:
        ValueError: A column is missing.
    """
    missing = [name for name in (position, value) if name not in rows.columns]
    if missing:
        known = ", ".join(map(str, rows.columns))
        raise ValueError(f"the table has no column {missing[0]!r}; its columns are {known}")
    groups = rows.groupby(position)[value]
    mean, sd = groups.mean(), groups.std(ddof=1).fillna(0.0)
    return Curve(mean.index.to_numpy(float), mean.to_numpy(float), sd.to_numpy(float))


def draw_curve(axes: Axes, curve: Curve, style: ArmStyle) -> None:
    """Draw a mean line with a band of one standard deviation to each side."""
    axes.plot(curve.positions, curve.mean, color=style.colour, linestyle=style.dash, linewidth=1.8)
    if curve.sd.any():
        low, high = curve.mean - curve.sd, curve.mean + curve.sd
        axes.fill_between(curve.positions, low, high, color=style.colour, alpha=0.16, linewidth=0)


def label_line_ends(
    axes: Axes,
    ends: Mapping[str, tuple[float, float]],
    styles: Mapping[str, ArmStyle],
    *,
    texts: Mapping[str, str],
    line_height: float,
) -> None:
    """Write each label at the right edge of the axes, at the height of its line's end.

    Args:
        axes: Axes whose limits are final.
        ends: Last point of each label's line, in data units.
        styles: Look of each label.
        texts: What to write for each label.
        line_height: Least distance of two labels as a share of the axes' height.
    """
    axes.autoscale_view()
    names = list(ends)
    to_fraction = axes.transData + axes.transAxes.inverted()
    heights = [float(to_fraction.transform(ends[name])[1]) for name in names]
    places = spread(heights, line_height)
    overhang = min(max(0.0, *places, 1.0) - 1.0, max(0.0, min(places, default=0.0)))
    for name, height, place in zip(names, heights, places, strict=True):
        axes.annotate(
            texts[name],
            xy=(1.0, height),
            xytext=(1.04, place - overhang),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=styles[name].ink,
            fontsize=8.5,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": styles[name].colour,
                "linewidth": 0.7,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 0,
            },
        )


def rolling_mean(values: Sequence[float] | np.ndarray, window: int) -> np.ndarray:
    """Return the mean over a centred window, shorter at both ends."""
    return (
        pd.Series(np.asarray(values, float))
        .rolling(window, center=True, min_periods=1)
        .mean()
        .to_numpy()
    )
