"""Contact sheet of a data set: images beside their ground truth."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from wsss.data.images import read_image
from wsss.data.index import GroundTruthRecord, Index
from wsss.figures.examples import Example, true_mask, true_spurious
from wsss.figures.overlays import class_legend, hatch, mask_palette, overlay
from wsss.figures.tiles import Tile, image_grid

STRIPES = (235, 235, 235)


def data_sheet(
    index: Index,
    ground_truth: Mapping[str, GroundTruthRecord],
    examples: Sequence[Example],
    *,
    width: float,
) -> Figure:
    """Return one row per class, each image followed by its ground truth.

    Objects have their class's colour; background that usually accompanies a class is hatched where
    the data set knows it. Ground truth is shown to readers, never to a training stage.

    Args:
        index: The data set.
        ground_truth: Masks by image id.
        examples: Images to show.
        width: Width of the figure in inches.

    Raises:
        ValueError: There is no example, or a mask differs from its image in size.
    """
    palette = mask_palette(len(index.classes))
    names = list(dict.fromkeys(example.class_name for example in examples))
    rows = [
        [
            tile
            for example in examples
            if example.class_name == name
            for tile in _pair(example, ground_truth, palette)
        ]
        for name in names
    ]
    columns = max(map(len, rows))
    titles = ["image", "ground truth"] * (columns // 2)
    legend = class_legend(index.classes, palette)
    if any(known.spurious for known in ground_truth.values()):
        legend["spurious background"] = (160, 160, 160)
    return image_grid(rows, column_titles=titles, row_titles=names, width=width, legend=legend)


def truth_picture(
    image: np.ndarray, mask: np.ndarray, spurious: np.ndarray | None, palette: np.ndarray
) -> np.ndarray:
    """Return the ground truth over its greyed image, spurious background hatched.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8.
        spurious: (H, W) bool, or None where it is not known.
        palette: (256, 3) uint8.
    """
    picture = overlay(image, mask, palette)
    if spurious is None:
        return picture
    period = max(6, image.shape[1] // 16)
    return hatch(picture, spurious & (mask == 0), STRIPES, period=period, width=max(1, period // 5))


def _pair(
    example: Example, ground_truth: Mapping[str, GroundTruthRecord], palette: np.ndarray
) -> list[Tile | None]:
    image = read_image(example.record.path)
    mask = true_mask(ground_truth, example.record)
    if mask is None:
        return [Tile(image), None]
    spurious = true_spurious(ground_truth, example.record)
    return [Tile(image), Tile(truth_picture(image, mask, spurious, palette), smooth=False)]
