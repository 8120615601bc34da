"""Grids of small pictures with titles, captions and a key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from wsss.figures.style import INK, house_style, new_figure
from wsss.figures.titles import fit_titles

# Of a column's width, so that neighbouring titles are apart.
TITLE_SHARE = 0.92


@dataclass(frozen=True)
class Tile:
    """One picture of a grid.

    `image` (H, W, 3) uint8; `caption` stands below it; `frame` is a colour or empty; photographs
    are enlarged smoothly, pictures of labels are not.
    """

    image: np.ndarray
    caption: str = ""
    frame: str = ""
    smooth: bool = True


def image_grid(
    rows: Sequence[Sequence[Tile | None]],
    *,
    column_titles: Sequence[str],
    row_titles: Sequence[str],
    width: float,
    legend: Mapping[str, tuple[int, int, int]],
) -> Figure:
    """Return a grid of tiles with titles above the columns and beside the rows.

    Titles of narrow columns are broken between words, and written smaller where a word is too wide.

    Args:
        rows: Tiles, `None` for an empty place; rows may differ in length.
        column_titles: Title of each column, or empty.
        row_titles: Title of each row, or empty.
        width: Width of the figure in inches.
        legend: Colour of each name in the key below the grid, or empty.

    Raises:
        ValueError: There is no tile.
    """
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        raise ValueError("an image grid needs at least one tile; the selection of images is empty")
    margin = 0.11 * max((len(line) for t in row_titles for line in t.split("\n")), default=0)
    margin = min(margin, 1.3) if any(row_titles) else 0.0
    side = (width - margin) / columns
    captions = any(tile and tile.caption for row in rows for tile in row)
    first = next(tile for row in rows for tile in row if tile)
    line = side * first.image.shape[0] / first.image.shape[1] + (0.2 if captions else 0.04)
    titles, size = fit_titles(column_titles, width=TITLE_SHARE * side)
    head = 0.28 + 0.15 * max((t.count("\n") for t in titles), default=0)
    foot = 0.3 * -(-len(legend) // 8) if legend else 0.0
    height = line * len(rows) + (head if any(column_titles) else 0.05) + foot
    with house_style():
        figure = new_figure(width, height)
        figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for place, axes in np.ndenumerate(grid):
            row = rows[place[0]]
            _draw_tile(axes, row[place[1]] if place[1] < len(row) else None)
        for axes, title in zip(grid[0], titles, strict=False):
            axes.set_title(title, fontsize=size, loc="center", pad=4)
        for axes, title in zip(grid[:, 0], row_titles, strict=False):
            axes.set_ylabel(title, fontsize=8.5, rotation=0, ha="right", va="center", labelpad=5)
        if legend:
            _key(figure, legend)
    return figure


def picture_at(figure: Figure, place: int) -> np.ndarray:
    """Return the picture (H, W, 3) uint8 at a place of a grid, counted row by row.

    Raises:
        ValueError: The place is empty.
    """
    pictures = figure.axes[place].get_images()
    if not pictures:
        raise ValueError(f"place {place} of the image grid is empty")
    return np.asarray(pictures[0].get_array(), np.uint8)


def contact_sheet(
    images: Sequence[np.ndarray], captions: Sequence[str], columns: int, *, width: float
) -> Figure:
    """Return images with captions, filled row by row.

    Args:
        images: Images (H, W, 3) uint8.
        captions: One caption per image.
        columns: Images in a row.
        width: Width of the figure in inches.

    Raises:
        ValueError: There is no image, or not one caption for each.
    """
    if len(images) != len(captions):
        raise ValueError(f"{len(images)} images have {len(captions)} captions; give one for each")
    tiles = [Tile(image, caption) for image, caption in zip(images, captions, strict=True)]
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return image_grid(rows, column_titles=[], row_titles=[], width=width, legend={})


def _draw_tile(axes: Axes, tile: Tile | None) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    framed = tile is not None and bool(tile.frame)
    for spine in axes.spines.values():
        spine.set_visible(framed)
        if tile is not None and framed:
            spine.set_color(tile.frame)
            spine.set_linewidth(2.2)
    if tile is None:
        return
    axes.imshow(tile.image, interpolation="lanczos" if tile.smooth else "nearest")
    # Each place keeps its size, so that pictures of other proportions do not move the titles.
    axes.set_adjustable("datalim")
    if tile.caption:
        axes.set_xlabel(tile.caption, fontsize=7, labelpad=2, color=INK)


def _key(figure: Figure, legend: Mapping[str, tuple[int, int, int]]) -> None:
    patches = [
        Patch(
            facecolor=(colour[0] / 255, colour[1] / 255, colour[2] / 255),
            edgecolor="#888888",
            linewidth=0.6,
            label=name,
            hatch="/////" if name.startswith("spurious") else None,
        )
        for name, colour in legend.items()
    ]
    figure.legend(
        handles=patches, loc="outside lower center", ncols=min(8, len(patches)),
        fontsize=8, handlelength=1.2, columnspacing=1.3,
    )  # fmt: skip
