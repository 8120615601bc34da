"""Images on their climb among those of their classes, in a t-SNE plane (dissertation Fig. 3.9)."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.panels import lines_and_columns, panel_grid
from wsss.figures.selection import select_chains
from wsss.figures.style import (
    COLOURS,
    INK,
    MARKERS,
    ArmStyle,
    footnote,
    house_style,
    legend_above,
    new_figure,
)

PER_LINE = 2


def draw(
    table: pd.DataFrame, *, labels: Mapping[str, str], styles: Mapping[str, ArmStyle]
) -> Figure:
    """Draw one plane per arm and random seed, as each has a network of its own.

    Args:
        table: Rows of `wsss.diagnose.climbing_trajectory`.
        labels: Label of each chain `dataset/classifier/localizer`.
        styles: Look of each label; here colours tell classes.

    Raises:
        ValueError: A chain is missing.
    """
    rows = select_chains(table, labels=labels)
    seeds = sorted(rows["random_seed"].unique())
    places = list(product(dict.fromkeys(rows["label"]), seeds))
    lines, columns = lines_and_columns(len(places), per_line=PER_LINE)
    spans = rows.groupby(["label", "random_seed"])[["x", "y"]].agg(np.ptp)
    flattest = float((spans["y"] / spans["x"]).clip(0.4, 1).max())
    with house_style():
        figure = new_figure(7.4, 0.6 + (7.2 / columns * flattest + 0.3) * lines)
        grid = panel_grid(figure, len(places), per_line=PER_LINE)
        for axes, (label, seed) in zip(grid.flat, places, strict=False):
            own = rows[(rows["label"] == label) & (rows["random_seed"] == seed)]
            _plane(axes, own)
            axes.set_title(f"{label}, random seed {seed}" if len(seeds) > 1 else label)
        legend_above(figure, grid.flat[0].get_legend_handles_labels()[0])
        footnote(
            figure,
            "features of images with one class, by t-SNE; lines: climbs of single images, from "
            "the ring to the star",
        )
    return figure


def _plane(axes: Axes, rows: pd.DataFrame) -> None:
    for number, (name, own) in enumerate(rows.groupby("class_name", sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        still = own[own["climbs"] == 0]
        axes.scatter(
            still["x"], still["y"], s=16, color=colour, marker=MARKERS[number % len(MARKERS)],
            alpha=0.45, linewidth=0, label=str(name),
        )  # fmt: skip
        for _, climb in own[own["climbs"] == 1].groupby("image_id", sort=False):
            climb = climb.sort_values("step")
            axes.plot(climb["x"], climb["y"], color=INK, linewidth=1.1, zorder=3)
            for marker, size, end in (("o", 4.5, climb.iloc[0]), ("*", 9, climb.iloc[-1])):
                axes.plot(
                    end["x"], end["y"], marker, markersize=size, color="white",
                    markeredgecolor=INK, markeredgewidth=0.9, zorder=4,
                )  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[["top", "right"]].set_visible(True)
