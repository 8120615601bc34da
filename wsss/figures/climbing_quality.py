"""Seed quality and noise over the steps of a climb (dissertation Fig. 3.7 a and b)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wsss.figures.curves import draw_curve, label_line_ends, mean_curve
from wsss.figures.selection import select_chains
from wsss.figures.style import ArmStyle, footnote, grid_lines, house_style, new_figure

NOISE = {
    "foreground": ("noise", "Noise (% of the pixels taken for foreground)"),
    "all": ("noise_of_all", "Noise (% of all pixels)"),
}


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    noise_of: str,
) -> Figure:
    """Draw mIoU and the proportion of noise, one line per arm: the mean over random seeds.

    Args:
        table: Rows of `wsss.diagnose.climbing_quality` (fractions).
        labels: Label of each chain `dataset/classifier/localizer`.
        styles: Look of each label.
        noise_of: "foreground" or "all", see `NOISE`.

    Raises:
        KeyError: `noise_of` is unknown.
        ValueError: A chain is missing.
    """
    rows = select_chains(table, labels=labels)
    with house_style():
        figure = new_figure(7.4, 5.4)
        upper, lower = figure.subplots(2, 1, sharex=True)
        _panel(upper, rows, "miou", "mIoU of the seed (%)", styles)
        _panel(lower, rows, *NOISE[noise_of], styles)
        lower.set_xlabel("step of the climb")
        seeds = rows["random_seed"].nunique()
        band = f"band: ± 1 sd over {seeds} random seeds" if seeds > 1 else "one random seed"
        images = rows["num_images"].max()
        note = "background threshold of every step CHOSEN WITH GROUND TRUTH"
        footnote(figure, f"{images} training images; {note}; {band}")
    return figure


def _panel(
    axes: Axes, rows: pd.DataFrame, value: str, title: str, styles: Mapping[str, ArmStyle]
) -> None:
    ends, texts = {}, {}
    for label, own in rows.groupby("label", sort=False):
        curve = mean_curve(own.assign(percent=100 * own[value]), position="step", value="percent")
        draw_curve(axes, curve, styles[str(label)])
        ends[str(label)] = (curve.positions[-1], curve.mean[-1])
        texts[str(label)] = f"{label}  {curve.mean[-1]:.1f}"
    axes.set_title(title)
    axes.margins(x=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    grid_lines(axes, "y")
    label_line_ends(axes, ends, styles, texts=texts, line_height=0.12)
