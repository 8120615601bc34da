"""Features of training and OoD images of several classifiers in t-SNE planes (w-ood Fig. 7)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.neighbors import NearestNeighbors

from wsss.figures.panels import lines_and_columns
from wsss.figures.selection import select_chains
from wsss.figures.style import (
    COLOURS,
    ArmStyle,
    footnote,
    house_style,
    legend_above,
    new_figure,
)
from wsss.metrics.plane import tsne_plane

PER_LINE = 3
OOD = "OoD"
# By origin: marker, whether it is filled.
MARKS = {
    "training": ("o", True),
    "training, own background": ("o", True),
    "training, elsewhere": ("^", True),
    OOD: ("x", False),
}


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    plane: str,
    perplexity: float,
    embedding_seed: int,
) -> Figure:
    """Draw a panel per classifier and random seed; a number tells how far training and OoD part.

    The paper does not say whether t-SNE got the features of all epochs together. In one embedding a
    point's way over the epochs can be followed; in one for each, more of a panel's own structure is
    seen. The number is a share of the points of the shown classes: those whose nearest neighbour of
    their class, in the space of all features, is of their own kind, training or OoD.

    Args:
        table: Rows of `wsss.diagnose.feature_planes`.
        labels: Label of each chain `dataset/classifier`, the panels in order.
        styles: Look of each label; here colours tell classes.
        plane: "joint" for one embedding of all classifiers of a random seed, "each" for one each.
        perplexity: Of t-SNE: about how many neighbours a point has; below the number of points.
        embedding_seed: Of t-SNE.

    Raises:
        ValueError: A chain is missing, features of classifiers that share a plane differ in number,
            or the points are too few.
    """
    rows = select_chains(table, labels=labels)
    seeds, names = sorted(rows["random_seed"].unique()), list(dict.fromkeys(labels.values()))
    by = ["random_seed"] if plane == "joint" else ["random_seed", "label"]
    embedded = pd.concat(
        [_embedded(own, perplexity, embedding_seed) for _, own in rows.groupby(by, sort=False)]
    )
    lines, columns = lines_and_columns(len(names), per_line=PER_LINE)
    with house_style():
        figure = new_figure(7.4, 0.9 + 2.5 * lines * len(seeds))
        shared: Any = "all" if plane == "joint" and len(seeds) == 1 else False
        grid = figure.subplots(
            lines * len(seeds), columns, squeeze=False, sharex=shared, sharey=shared
        )
        classes = list(dict.fromkeys(rows["class_name"]))
        for place, seed in enumerate(seeds):
            block = list(grid[place * lines : (place + 1) * lines].flat)
            for axes, name in zip(block, names, strict=False):
                own = embedded["label"].eq(name) & embedded["random_seed"].eq(seed)
                _panel(axes, embedded[own], classes)
                axes.set_title(f"{name}, random seed {seed}" if len(seeds) > 1 else name)
            for axes in block[len(names) :]:
                axes.set_visible(False)
        _key(figure, classes, [origin for origin in MARKS if (rows["origin"] == origin).any()])
        footnote(figure, _explain(plane))
    return figure


def parted(features: np.ndarray, is_ood: np.ndarray) -> float:
    """Return the share of points whose nearest neighbour is OoD if, and only if, they are.

    Args:
        features: (N, D), of which two at least.
        is_ood: (N,) whether a point is of an OoD image.

    Raises:
        ValueError: There is one point.
    """
    if len(features) < 2:
        raise ValueError("one point has no neighbour: show more images of each class")
    found = NearestNeighbors(n_neighbors=1).fit(features).kneighbors(return_distance=False)[:, 0]
    return float((is_ood[found] == is_ood).mean())


def _embedded(rows: pd.DataFrame, perplexity: float, embedding_seed: int) -> pd.DataFrame:
    """Return the rows with places x and y instead of features, and `parted` of each label."""
    columns = [name for name in rows.columns if name.startswith("z") and name[1:].isdigit()]
    features = rows[columns].dropna(axis=1, how="all").to_numpy(float)
    if np.isnan(features).any():
        raise ValueError(
            "the classifiers' features differ in number, so that they have no plane together: set "
            "plane to each, or name chains of one backbone"
        )
    places = tsne_plane(features, perplexity=perplexity, random_seed=embedding_seed)
    is_ood = rows["origin"].eq(OOD).to_numpy()
    shares = np.zeros(len(rows))
    for _, own in rows.reset_index().groupby(["label", "class_name"], sort=False):
        shares[own.index] = parted(features[own.index], is_ood[own.index])
    return rows.drop(columns=columns).assign(x=places[:, 0], y=places[:, 1], parted=shares)


def _panel(axes: Axes, rows: pd.DataFrame, classes: Sequence[str]) -> None:
    for number, name in enumerate(classes):
        for origin, (marker, filled) in MARKS.items():
            own = rows[rows["class_name"].eq(name) & rows["origin"].eq(origin)]
            colour = COLOURS[number % len(COLOURS)]
            axes.scatter(
                own["x"], own["y"], s=14 if filled else 16, color=colour, marker=marker,
                alpha=0.5 if filled else 0.9, linewidth=0 if filled else 1.0,
            )  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.04)
    axes.spines[["top", "right"]].set_visible(True)
    axes.set_xlabel(f"told apart: {100 * rows['parted'].mean():.0f} %", fontsize=8)


def _key(figure: Figure, classes: Sequence[str], origins: Sequence[str]) -> None:
    handles = [
        Line2D(
            [], [], linestyle="", marker=MARKS[origin][0], label=f"{name}: {origin}",
            color=COLOURS[number % len(COLOURS)], alpha=0.7, markersize=5,
        )
        for origin in origins
        for number, name in enumerate(classes)
    ]  # fmt: skip
    # A key is filled column by column: of up to three origins one each.
    legend_above(figure, handles)


def _explain(plane: str) -> str:
    together = (
        "one embedding of all panels of a random seed"
        if plane == "joint"
        else "an embedding for each panel"
    )
    return (
        f"pooled features by t-SNE, {together}; told apart: share of the images whose nearest "
        "neighbour of the class, by all features, is a training image or an OoD image as they are"
    )
