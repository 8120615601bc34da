"""Galleries of clusters."""

import numpy as np
import pytest

from wsss.data.images import write_jpeg
from wsss.figures.cluster_panel import cluster_panel

IDS = np.array([f"i{n}" for n in range(6)])
LABELS = np.array([7, 2, 2, 7, 7, 4])
DISTANCES = np.array([0.5, 0.2, 0.1, 0.3, 0.5, 0.0])


@pytest.fixture
def paths(tmp_path):
    found = {image_id: tmp_path / f"{image_id}.jpg" for image_id in IDS}
    for place, path in enumerate(found.values()):
        write_jpeg(path, np.full((8, 10, 3), 40 * place, np.uint8), quality=90)
    return found


def shown(figure, columns):
    """(title, numbers of the images, captions) of each row."""
    rows = [figure.axes[start : start + columns] for start in range(0, len(figure.axes), columns)]
    return [
        (
            row[0].get_ylabel(),
            [round(axes.get_images()[0].get_array().mean() / 40) for axes in row
             if axes.get_images()],
            [axes.get_xlabel() for axes in row if axes.get_images()],
        )
        for row in rows
    ]  # fmt: skip


def test_the_largest_cluster_is_on_top_and_its_centre_at_the_left(paths):
    figure = cluster_panel(paths, IDS, LABELS, DISTANCES, clusters=5, columns=4, width=6.0)
    # Of equal distances the first image.
    assert shown(figure, 3) == [
        ("3 images", [3, 0, 4], ["0.30", "0.50", "0.50"]),
        ("2 images", [2, 1], ["0.10", "0.20"]),
        ("1 image", [5], ["0.00"]),
    ]


def test_no_more_clusters_and_images_than_asked_for(paths):
    figure = cluster_panel(paths, IDS, LABELS, DISTANCES, clusters=1, columns=2, width=6.0)
    assert shown(figure, 2) == [("3 images", [3, 0], ["0.30", "0.50"])]


def test_what_does_not_fit_is_refused(paths):
    with pytest.raises(ValueError, match="6 images have 5 clusters and 6 distances"):
        cluster_panel(paths, IDS, LABELS[:5], DISTANCES, clusters=1, columns=2, width=6.0)
    with pytest.raises(ValueError, match="at least one tile"):
        cluster_panel(paths, IDS[:0], LABELS[:0], DISTANCES[:0], clusters=1, columns=2, width=6.0)
