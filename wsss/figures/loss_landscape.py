"""The loss around images where they climb and where they are attacked (dissertation Fig. 3.4)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.axes3d import Axes3D

from wsss.figures.selection import select_chains
from wsss.figures.style import INK, ArmStyle, footnote, house_style, new_figure

HALVES = {"climbing": 1, "attack": -1}
STAR = "#ffd400"


def draw(
    table: pd.DataFrame, *, labels: Mapping[str, str], styles: Mapping[str, ArmStyle]
) -> Figure:
    """Draw two surfaces per arm, on one scale: the half along which images climb, and the other.

    Args:
        table: Rows of `wsss.diagnose.loss_landscape`.
        labels: Label of each chain `dataset/classifier`.
        styles: Look of each label; here colours tell losses.

    Raises:
        ValueError: A chain is missing.
    """
    rows = select_chains(table, labels=labels)
    with house_style():
        figure = new_figure(7.4, 0.3 + 2.8 * len(labels))
        lines = figure.subplots(len(labels), 2, squeeze=False, subplot_kw={"projection": "3d"})
        for line, (label, own) in zip(lines, rows.groupby("label", sort=False), strict=True):
            mean = own.groupby(["climb", "random"])["loss"].mean().unstack()
            for axes, half in zip(line, HALVES, strict=True):
                _surface(axes, mean, half)
                axes.set_title(f"{label}: {half}", y=0.97)
        images, seeds = rows["num_images"].max(), rows["random_seed"].nunique()
        of = "one image" if images == 1 else f"{images} images, mean"
        note = f"soft margin loss of {of}; star: not moved; axes: change of a pixel value (rms)"
        footnote(figure, f"{note}; mean of {seeds} random seeds" if seeds > 1 else note)
    return figure


def _surface(axes: Axes3D, mean: pd.DataFrame, half: str) -> None:
    low, high = float(mean.to_numpy().min()), float(mean.to_numpy().max())
    own = mean[mean.index * HALVES[half] >= 0]
    random, along = np.meshgrid(own.columns.to_numpy(float), own.index.to_numpy(float))
    along = along * HALVES[half]
    axes.computed_zorder = False
    axes.plot_surface(
        random, along, own.to_numpy(), cmap="viridis", norm=Normalize(low, high), rcount=100,
        ccount=100, edgecolor=(1, 1, 1, 0.35), linewidth=0.3, antialiased=True, zorder=1,
    )  # fmt: skip
    start = float(mean.loc[0.0, 0.0])
    axes.plot(
        [0], [0], [start], marker="*", markersize=13, color=STAR, markeredgecolor=INK,
        markeredgewidth=0.7, zorder=5,
    )  # fmt: skip
    axes.set_zlim(low, high)
    axes.set_xlabel("random", labelpad=-2)
    axes.set_ylabel(half, labelpad=-2)
    axes.set_zlabel("loss", labelpad=-2)
    axes.tick_params(labelsize=7, pad=-1)
    axes.locator_params(nbins=4)
    axes.view_init(elev=26, azim=-56)
    axes.set_box_aspect((1, 1, 0.7), zoom=0.93)
