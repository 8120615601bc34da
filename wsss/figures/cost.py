"""Bars of what each rule did cost: core-hours, and GPU-hours where there are any."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.style import COLOURS, FAINT, INK, house_style, new_figure

# The others are told as one bar.
MOST_RULES = 12
UNITS = {"core-hours": ("core-hours", "core-minutes"), "GPU-hours": ("GPU-hours", "GPU-minutes")}


def cost_bars(table: pd.DataFrame) -> Figure:
    """Draw one panel for each kind of hours, with one bar for each rule, in the table's order.

    Less than an hour in all is drawn in minutes.

    Args:
        table: Columns rule, jobs, core-hours and, where GPUs worked, GPU-hours; no sum.

    Raises:
        ValueError: There is no rule.
    """
    if not len(table):
        raise ValueError("there is no cost to draw: no job has ended yet")
    shown = _with_rest(table)
    panels = [name for name in UNITS if name in shown.columns]
    with house_style():
        figure = new_figure(7.4, 0.45 + 0.25 * len(shown))
        grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, name, colour in zip(grid, panels, COLOURS, strict=False):
            _panel(axes, shown, name, colour)
    return figure


def _with_rest(table: pd.DataFrame) -> pd.DataFrame:
    hours = [name for name in UNITS if name in table.columns]
    table = table[["rule", "jobs", *hours]]
    if len(table) <= MOST_RULES + 1:
        return table.reset_index(drop=True)
    rest = table.iloc[MOST_RULES:]
    row = {"rule": f"{len(rest)} more rules", "jobs": rest["jobs"].sum(), **rest[hours].sum()}
    return pd.concat([table.iloc[:MOST_RULES], pd.DataFrame([row])], ignore_index=True)


def _panel(axes: Axes, table: pd.DataFrame, name: str, colour: str) -> None:
    long, short = UNITS[name]
    unit, factor = (long, 1.0) if table[name].sum() >= 1 else (short, 60.0)
    values = factor * table[name].to_numpy(float)
    largest = max(float(values.max()), 1e-9)
    places = range(len(values))
    axes.barh(places, values, height=0.66, color=colour, alpha=0.85)
    total = values.sum() or 1.0
    for place, value in zip(places, values, strict=True):
        text = f"{_number(value)}  ({100 * value / total:.0f} %)" if value else "0"
        ink = INK if value else FAINT
        axes.text(value + 0.02 * largest, place, text, va="center", fontsize=8, color=ink)
    axes.set_xlim(0, 1.35 * largest)
    axes.set_yticks(places, _labels(table["rule"].tolist(), table["jobs"].tolist()))
    axes.set_ylim(len(values) - 0.45, -0.55)
    axes.set_title(f"{_number(values.sum())} {unit}")
    # Every bar has its number.
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _labels(rules: Sequence[str], jobs: Sequence[int]) -> list[str]:
    return [f"{rule} ({number})" for rule, number in zip(rules, jobs, strict=True)]
