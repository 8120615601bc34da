"""How much a climb amplifies the scores of regions, over its steps (dissertation Fig. 3.3)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.panels import lines_and_columns, panel_grid
from wsss.figures.selection import select_chains
from wsss.figures.style import COLOURS, ArmStyle, footnote, grid_lines, house_style, new_figure

REGIONS = {
    "discriminative": (COLOURS[1], "-", "discriminative"),
    "non-discriminative": (COLOURS[0], (0, (5, 1.5)), "non-discriminative"),
}
PER_LINE = 2


def draw(
    table: pd.DataFrame, *, labels: Mapping[str, str], styles: Mapping[str, ArmStyle]
) -> Figure:
    """Draw one panel per arm: the median ratio of each region over the steps, with its spread.

    Args:
        table: Rows of `wsss.diagnose.pixel_amplification`.
        labels: Label of each chain `dataset/classifier/localizer`.
        styles: Look of each label; here colours tell regions.

    Raises:
        ValueError: A chain is missing.
    """
    rows = select_chains(table, labels=labels)
    lines, _ = lines_and_columns(len(labels), per_line=PER_LINE)
    with house_style():
        figure = new_figure(7.4, 0.5 + 2.6 * lines)
        grid = panel_grid(figure, len(labels), per_line=PER_LINE, sharex=True, sharey=True)
        for axes, (label, own) in zip(grid.flat, rows.groupby("label", sort=False), strict=False):
            _panel(axes, str(label), own)
        for line in grid:
            line[0].set_ylabel("ratio to the start")
        for axes in grid[-1]:
            axes.set_xlabel("step of the climb")
        grid.flat[0].legend(loc="upper left")
        seeds = rows["random_seed"].nunique()
        note = "line: median over cells; dark: middle half; light: from 5 to 95 %"
        footnote(figure, f"{note}; mean of {seeds} random seeds" if seeds > 1 else note)
    return figure


def _panel(axes: Axes, label: str, rows: pd.DataFrame) -> None:
    for region, (colour, dash, name) in REGIONS.items():
        own = rows[rows["region"] == region].drop(columns=["label", "region"])
        quantiles = own.groupby("step")[["q05", "q25", "q50", "q75", "q95"]].mean()
        steps = quantiles.index
        axes.plot(steps, quantiles["q50"], color=colour, linestyle=dash, linewidth=1.8, label=name)
        for low, high, alpha in (("q05", "q95", 0.12), ("q25", "q75", 0.22)):
            axes.fill_between(
                steps, quantiles[low], quantiles[high], color=colour, alpha=alpha, linewidth=0
            )
    axes.axhline(1, color="#9a9a9a", linewidth=0.8)
    axes.set_title(label)
    axes.margins(x=0)
    grid_lines(axes, "y")
