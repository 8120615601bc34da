"""Saliency maps of many images as grey PNG files, in the folders of shards."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from wsss.store.atomic import atomic_path
from wsss.store.mask_folders import find_images
from wsss.store.masks import read_levels

SOURCE = "Source"
"""Under which word a file's text says where its map comes from."""


def write_saliency_maps(
    folder: Path | str, maps: Iterable[tuple[str, np.ndarray]], *, source: str
) -> None:
    """Write saliency maps as `<folder>/<image_id>.png`; the folder is made.

    Args:
        folder: Where to.
        maps: Pairs of image id and map, (H, W) uint8: 0 not salient, 255 salient.
        source: Where they come from, in words; every file holds them.

    Raises:
        ValueError: A map is not two-dimensional uint8 or is empty.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = PngImagePlugin.PngInfo()
    text.add_text(SOURCE, source)
    for image_id, levels in maps:
        path = folder / f"{image_id}.png"
        if levels.ndim != 2 or levels.dtype != np.uint8 or levels.size == 0:
            raise ValueError(
                f"saliency map for {path}: expected (H, W) uint8, got {levels.shape} "
                f"{levels.dtype}; convert it before writing"
            )
        with atomic_path(path) as temporary:
            Image.fromarray(levels).save(temporary, format="PNG", pnginfo=text)


def read_saliency_map(path: Path | str) -> np.ndarray:
    """Return a saliency map, (H, W) uint8: 0 not salient, 255 salient.

    Raises:
        ValueError: The file is missing, truncated, damaged, or no 8-bit grey PNG.
    """
    levels, mode = read_levels(path, noun="saliency map")
    if levels is None:
        raise ValueError(
            f"saliency map {path} has mode {mode}, not 8-bit grey; delete it and make it again"
        )
    return levels


def find_saliency_maps(folders: Sequence[Path | str]) -> dict[str, Path]:
    """Return the files of saliency maps of several folders by image id.

    Raises:
        ValueError: An image has maps in two folders.
    """
    return find_images(folders, noun="saliency maps")
