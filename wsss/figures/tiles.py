"""Small pictures: overlays, heat maps, hatching, and grids of them with titles and captions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from wsss.figures.style import INK, house_style, new_figure
from wsss.store.masks import voc_palette

SAFE_COLOURS = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
    (240, 228, 66),
)  # fmt: skip
UNSURE = (255, 255, 255)
IGNORE_INDEX = 255


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


def mask_palette(num_classes: int) -> np.ndarray:
    """Return (256, 3) uint8: black background, class colours, white for 255.

    Up to seven classes get colours that are told apart with any common colour vision; beyond, no
    palette can promise that, and VOC's own is used.
    """
    palette = voc_palette().copy()
    if num_classes <= len(SAFE_COLOURS):
        palette[1 : num_classes + 1] = SAFE_COLOURS[:num_classes]
    palette[IGNORE_INDEX] = UNSURE
    return palette


def overlay(image: np.ndarray, mask: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return the image, greyed and dimmed, with the mask's colours over it.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8; 0 stays the dimmed image.
        palette: (256, 3) uint8.

    Raises:
        ValueError: Image and mask differ in size.
    """
    _same_size(image, mask)
    dimmed = 0.45 * _grey(image) + 0.2 * 255 * 0.45
    coloured = 0.78 * palette[mask] + 0.22 * _grey(image)
    return _to_bytes(np.where((mask > 0)[..., None], coloured, dimmed))


def heatmap(image: np.ndarray, localization_map: np.ndarray) -> np.ndarray:
    """Return the image, greyed, under a colour map that is read the same with any colour vision.

    Args:
        image: (H, W, 3) uint8.
        localization_map: (H, W) float in [0, 1]; 0 leaves the image grey, 1 is the brightest.

    Raises:
        ValueError: Image and map differ in size.
    """
    _same_size(image, localization_map)
    share = np.clip(localization_map, 0.0, 1.0)
    colours = 255 * matplotlib.colormaps["inferno"](share)[..., :3]
    opacity = (0.35 + 0.5 * share)[..., None]
    return _to_bytes((1 - opacity) * _grey(image) + opacity * colours)


def hatch(
    image: np.ndarray, region: np.ndarray, colour: tuple[int, int, int], *, period: int, width: int
) -> np.ndarray:
    """Return the image with diagonal stripes inside a region.

    Args:
        image: (H, W, 3) uint8.
        region: (H, W) bool.
        colour: RGB of the stripes, 0 to 255.
        period: Distance of two stripes in pixels along a row.
        width: Width of a stripe in pixels along a row.

    Raises:
        ValueError: Image and region differ in size.
    """
    _same_size(image, region)
    rows, columns = np.indices(region.shape)
    stripes = region & ((rows + columns) % period < width)
    return np.where(stripes[..., None], np.uint8(colour), image)


def outline(image: np.ndarray, region: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the image with a one-pixel line along the inner border of a region.

    Args:
        image: (H, W, 3) uint8.
        region: (H, W) bool.
        colour: RGB of the line, 0 to 255.

    Raises:
        ValueError: Image and region differ in size.
    """
    _same_size(image, region)
    padded = np.pad(region, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.where((region & ~inner)[..., None], np.uint8(colour), image)


def image_grid(
    rows: Sequence[Sequence[Tile | None]],
    *,
    column_titles: Sequence[str],
    row_titles: Sequence[str],
    width: float,
    legend: Mapping[str, tuple[int, int, int]],
) -> Figure:
    """Return a grid of tiles with titles above the columns and beside the rows.

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
    head = 0.28 + 0.15 * max((t.count("\n") for t in column_titles), default=0)
    foot = 0.3 * -(-len(legend) // 6) if legend else 0.0
    height = line * len(rows) + (head if any(column_titles) else 0.05) + foot
    with house_style():
        figure = new_figure(width, height)
        figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for place, axes in np.ndenumerate(grid):
            row = rows[place[0]]
            _draw_tile(axes, row[place[1]] if place[1] < len(row) else None)
        for axes, title in zip(grid[0], column_titles, strict=False):
            axes.set_title(title, fontsize=8.5, loc="center", pad=4)
        for axes, title in zip(grid[:, 0], row_titles, strict=False):
            axes.set_ylabel(title, fontsize=8.5, rotation=0, ha="right", va="center", labelpad=5)
        if legend:
            _key(figure, legend)
    return figure


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


def _draw_tile(axes: matplotlib.axes.Axes, tile: Tile | None) -> None:
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
    if tile.caption:
        axes.set_xlabel(tile.caption, fontsize=7, labelpad=2, color=INK)


def _key(figure: Figure, legend: Mapping[str, tuple[int, int, int]]) -> None:
    patches = [
        matplotlib.patches.Patch(
            facecolor=np.array(colour) / 255, edgecolor="#888888", linewidth=0.6, label=name,
            hatch="/////" if name.startswith("spurious") else None,
        )
        for name, colour in legend.items()
    ]  # fmt: skip
    figure.legend(
        handles=patches, loc="outside lower center", ncols=min(6, len(patches)),
        fontsize=8, handlelength=1.2, columnspacing=1.3,
    )  # fmt: skip


def _grey(image: np.ndarray) -> np.ndarray:
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _same_size(image: np.ndarray, other: np.ndarray) -> None:
    if image.shape[:2] != other.shape:
        raise ValueError(
            f"image of shape {image.shape} and mask or map of shape {other.shape} differ in size; "
            "bring the mask or map to the image's size first"
        )
