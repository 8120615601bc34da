"""Masks of many images in the folders of shards."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from wsss.store.masks import write_mask


def write_masks(folder: Path | str, masks: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write masks as `<folder>/<image_id>.png`; the folder is made."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for image_id, mask in masks:
        write_mask(folder / f"{image_id}.png", mask)


def find_masks(folders: Sequence[Path | str]) -> dict[str, Path]:
    """Return the mask files of several folders by image id.

    Raises:
        ValueError: An image has masks in two folders.
    """
    return find_images(folders, noun="masks")


def find_images(folders: Sequence[Path | str], *, noun: str) -> dict[str, Path]:
    """Return the PNG files of several folders by image id.

    Args:
        folders: Of the shards.
        noun: What the files are to a reader of the sentence.

    Raises:
        ValueError: An image has files in two folders.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(Path(folder).glob("*.png")):
            if path.stem in found:
                raise ValueError(f"image {path.stem} has two {noun}: {found[path.stem]} and {path}")
            found[path.stem] = path
    return found
