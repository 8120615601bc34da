"""Galleries of out-of-distribution (OoD) images, a row for each cluster of their features."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from wsss.data.images import read_image
from wsss.figures.tiles import Tile, image_grid


def cluster_panel(
    paths: Mapping[str, Path],
    image_ids: np.ndarray,
    labels: np.ndarray,
    distances: np.ndarray,
    *,
    clusters: int,
    columns: int,
    width: float,
) -> Figure:
    """Return the images nearest to the centres of the largest clusters (w-ood Fig. A2).

    The largest cluster is on top (of equal ones that of the smaller number); the image nearest to
    a centre is at the left, with its distance as the caption. The paper does not say how it chose
    its rows and images.

    Args:
        paths: The files by image id.
        image_ids: Of the clustered images, (N,).
        labels: Cluster of each image, int (N,).
        distances: Distance of each image's feature to the centre of its cluster, (N,).
        clusters: Rows; fewer where there are fewer clusters that hold an image.
        columns: Images in a row.
        width: Width of the figure in inches.

    Raises:
        ValueError: The numbers of image ids, labels and distances differ, or there is no image.
    """
    if not len(image_ids) == len(labels) == len(distances):
        raise ValueError(
            f"{len(image_ids)} images have {len(labels)} clusters and {len(distances)} distances; "
            "give one of each for every image"
        )
    numbers, counts = np.unique(labels, return_counts=True)
    rows, titles = [], []
    for place in np.argsort(-counts, kind="stable")[:clusters]:
        members = np.flatnonzero(labels == numbers[place])
        nearest = members[np.argsort(distances[members], kind="stable")][:columns]
        rows.append([Tile(read_image(paths[image_ids[i]]), f"{distances[i]:.2f}") for i in nearest])
        number = counts[place]
        titles.append(f"{number} image{'' if number == 1 else 's'}")
    return image_grid(rows, column_titles=[], row_titles=titles, width=width, legend={})
