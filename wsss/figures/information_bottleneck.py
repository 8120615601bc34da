"""What layers of a toy classifier see of an image, and RIB's steps (dissertation Figs. 3.11-12)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from wsss.figures.curves import draw_curve, mean_curve
from wsss.figures.style import (
    COLOURS,
    ArmStyle,
    footnote,
    grid_lines,
    house_style,
    new_figure,
)

REGIONS = {
    "digit": ArmStyle(COLOURS[0], "o", "-"),
    "mark": ArmStyle(COLOURS[1], "s", (0, (5, 1.5))),
    "background": ArmStyle(COLOURS[6], "D", (0, (2, 1.2))),
}
WIDTH = 7.4


def draw(
    table: pd.DataFrame, *, labels: Mapping[str, str], styles: Mapping[str, ArmStyle]
) -> Figure:
    """Draw gradient maps of examples above the high gradient ratios of the regions.

    The maps are those of the first random seed; ratios are means over random seeds.

    Args:
        table: Rows of `wsss.diagnose.information_bottleneck`.
        labels: None, for there are no chains.
        styles: None is used; colours tell regions.

    Raises:
        ValueError: The table holds no ratio or no example.
    """
    ratios = table[table["quantity"] == "ratio"].astype({"layer": int, "iteration": int})
    maps = table[table["quantity"].isin(["pixel", "gradient"])]
    if ratios.empty or maps.empty:
        raise ValueError("the table lacks ratios or examples: measure the diagnostic again")
    maps = maps[maps["random_seed"] == maps["random_seed"].min()]
    with house_style():
        figure = new_figure(WIDTH, 4.6)
        parts: Any = figure.subfigures(2, 1, height_ratios=[1.0, 1.5])
        above, below = parts
        _examples(above, maps)
        left, right = below.subplots(1, 2, sharey=True)
        _panel(left, ratios[ratios["iteration"] == 0], "layer", "By layer; 6 is the logit")
        last = ratios[ratios["layer"] == ratios["layer"].max()]
        _panel(right, last, "iteration", "Of the logit, by step of RIB")
        left.set_ylabel("high gradient ratio (%)")
        left.legend(loc="best")
        footnote(figure, _explain(table))
    return figure


def _examples(figure: SubFigure, rows: pd.DataFrame) -> None:
    """Draw a line of pictures per example: the image, its gradients by layer, and by RIB step."""
    filled = rows.fillna({"layer": 0, "iteration": 0})
    places = list(filled.groupby(["layer", "iteration"], sort=True).groups)
    examples = sorted(rows["example"].unique())
    grid = figure.subplots(len(examples), len(places), squeeze=False)
    for line, example in zip(grid, examples, strict=True):
        for axes, (layer, iteration) in zip(line, places, strict=True):
            own = filled[
                (filled["example"] == example)
                & (filled["layer"] == layer)
                & (filled["iteration"] == iteration)
            ]
            picture = own.pivot(index="row", columns="column", values="value").to_numpy(float)
            axes.imshow(np.abs(picture), cmap="gray" if layer else "gray_r", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
    for axes, (layer, iteration) in zip(grid[0], places, strict=True):
        axes.set_title(_place(int(layer), int(iteration)), fontsize=8, loc="center")


def _place(layer: int, iteration: int) -> str:
    if not layer:
        return "image"
    return f"$G_{layer}$, RIB {iteration}" if iteration else f"$G_{layer}$"


def _panel(axes: Axes, rows: pd.DataFrame, position: str, title: str) -> None:
    for region, style in REGIONS.items():
        own = rows[rows["region"] == region]
        own = own.assign(percent=100 * own["value"])
        curve = mean_curve(own, position=position, value="percent")
        draw_curve(axes, curve, style)
        axes.lines[-1].set_label(region)
    axes.set_title(title)
    axes.set_ylim(0, None)
    axes.set_xlabel(position if position == "layer" else "step of RIB")
    axes.locator_params(axis="x", integer=True)
    grid_lines(axes, "y")


def _explain(table: pd.DataFrame) -> str:
    accuracy = table.loc[table["quantity"] == "accuracy", "value"]
    seeds = table["random_seed"].nunique()
    spread = f"mean of {seeds} random seeds, band: ± 1 sd" if seeds > 1 else "one random seed"
    return (
        f"above: size of gradients by the image, each map scaled by its largest; {spread}; "
        f"{100 * accuracy.mean():.0f} % of the images are classified rightly before RIB"
    )
