"""Localization maps of several arms side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from wsss.data.images import read_image
from wsss.data.index import GroundTruthRecord, Index
from wsss.figures.data_sheet import truth_picture
from wsss.figures.examples import Example, true_mask, true_spurious
from wsss.figures.overlays import heatmap, mask_palette, outline
from wsss.figures.tiles import Tile, image_grid
from wsss.store.maps import MapReader

OUTLINE = (120, 235, 255)


def map_panel(
    index: Index,
    ground_truth: Mapping[str, GroundTruthRecord],
    readers: Mapping[str, MapReader],
    examples: Sequence[Example],
    *,
    width: float,
) -> Figure:
    """Return one row per image: image, ground truth, then the map of the row's class by each arm.

    The light line on the maps is the true outline of the class: warm colours outside of it are what
    the classifier takes for the object by mistake.

    Args:
        index: The data set.
        ground_truth: Masks by image id.
        readers: Open reader of each arm's maps, by label.
        examples: Images and the class to show of each.
        width: Width of the figure in inches.

    Raises:
        ValueError: A reader lacks an image or class, or there is no example.
    """
    palette = mask_palette(len(index.classes))
    rows: list[list[Tile | None]] = []
    for example in examples:
        image = read_image(example.record.path)
        mask = true_mask(ground_truth, example.record)
        class_id = index.classes.index(example.class_name)
        region = np.zeros(image.shape[:2], bool) if mask is None else mask == class_id + 1
        truth = None
        if mask is not None:
            spurious = true_spurious(ground_truth, example.record)
            truth = Tile(truth_picture(image, mask, spurious, palette), smooth=False)
        maps = [
            Tile(outline(heatmap(image, _map(reader, label, example, class_id)), region, OUTLINE))
            for label, reader in readers.items()
        ]
        rows.append([Tile(image), truth, *maps])
    titles = ["image", "ground truth", *[label.replace(", ", ",\n") for label in readers]]
    names = [example.class_name for example in examples]
    return image_grid(rows, column_titles=titles, row_titles=names, width=width, legend={})


def _map(reader: MapReader, label: str, example: Example, class_id: int) -> np.ndarray:
    maps = reader.read_full(example.record.image_id)
    places = np.flatnonzero(maps.class_ids == class_id)
    if not len(places):
        raise ValueError(
            f"{label}: the maps of image {example.record.image_id} hold no {example.class_name}; "
            "delete them and run the workflow again"
        )
    result: np.ndarray = maps.maps[places[0]]
    return result
