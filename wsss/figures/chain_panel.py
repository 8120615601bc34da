"""What a chain makes of an image, step by step."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from wsss.data.images import read_image
from wsss.data.index import GroundTruthRecord, Index
from wsss.figures.examples import Example, true_mask
from wsss.figures.overlays import class_legend, mask_palette, overlay
from wsss.figures.tiles import Tile, image_grid


def chain_panel(
    index: Index,
    ground_truth: Mapping[str, GroundTruthRecord],
    steps: Mapping[str, Mapping[str, np.ndarray]],
    examples: Sequence[Example],
    *,
    width: float,
) -> Figure:
    """Return one row per image: image, the mask after each step, and the ground truth.

    Args:
        index: The data set.
        ground_truth: Masks by image id.
        steps: For each step's title the masks (H, W) uint8 by image id, in the chain's order. An
            image that a step never saw (training images are not predicted) has an empty place.
        examples: Images to show.
        width: Width of the figure in inches.

    Raises:
        ValueError: There is no example, a step has no mask of any, or a mask differs from its
            image in size.
    """
    ids = {example.record.image_id for example in examples}
    for title, masks in steps.items():
        if not ids & set(masks):
            raise ValueError(
                f"step {title!r} has no mask of any image to show; pseudo-masks exist for "
                "the split train, predictions for val: show the steps of one split in one panel"
            )
    palette = mask_palette(len(index.classes))
    rows: list[list[Tile | None]] = []
    for example in examples:
        image = read_image(example.record.path)
        found = [masks.get(example.record.image_id) for masks in steps.values()]
        found.append(true_mask(ground_truth, example.record))
        tiles = [
            None if mask is None else Tile(overlay(image, mask, palette), smooth=False)
            for mask in found
        ]
        rows.append([Tile(image), *tiles])
    legend = class_legend(index.classes, palette)
    legend["unsure or ignored"] = (255, 255, 255)
    return image_grid(
        rows,
        column_titles=["image", *steps, "ground truth"],
        row_titles=[example.class_name for example in examples],
        width=width,
        legend=legend,
    )
