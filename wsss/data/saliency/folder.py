"""Saliency maps of others: grey images in a folder, as a salient object detector leaves them."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from wsss.data.images import read_image
from wsss.data.records import ImageRecord

log = logging.getLogger(__name__)

SOURCE = "files of others"
SUFFIXES = (".png", ".jpg", ".jpeg")


def saliency_maps(records: Sequence[ImageRecord], *, root: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (image id, saliency map (H, W) uint8, 255 salient) of every image.

    Three equal channels are grey, too: EPS's authors read their maps that way.

    Args:
        records: The images.
        root: Folder of the maps, each named as its image's id, with one of `SUFFIXES`.

    Raises:
        ValueError: The folder or a map is missing, there are two of one image, or a map cannot be
            read, is not as large as its image, or not grey.
    """
    files = _find(records, Path(root))
    largest = 0
    for record in records:
        levels = _read(files[record.image_id], record)
        largest = max(largest, int(levels.max()))
        yield record.image_id, levels
    if records and largest <= 1:
        log.warning(
            "no saliency map of %d images below %s exceeds 1 of 255: multiply them by 255 if 1 is "
            "what their author calls salient",
            len(records),
            root,
        )


def _find(records: Sequence[ImageRecord], root: Path) -> dict[str, Path]:
    if not root.is_dir():
        raise ValueError(
            f"folder {root} of saliency maps does not exist; link the maps there, or name another "
            "folder as root"
        )
    present = {path.name: path for path in root.iterdir()}
    found, missing = {}, []
    for record in records:
        names = [f"{record.image_id}{suffix}" for suffix in SUFFIXES]
        own = [present[name] for name in names if name in present]
        if len(own) > 1:
            raise ValueError(
                f"image {record.image_id} has two saliency maps, {own[0]} and {own[1]}; remove one"
            )
        if own:
            found[record.image_id] = own[0]
        else:
            missing.append(root / names[0])
    if missing:
        raise ValueError(
            f"saliency map {missing[0]} does not exist, nor as .jpg or .jpeg ({len(missing)} of "
            f"{len(records)} images have none); put there a map of every training image"
        )
    return found


def _read(path: Path, record: ImageRecord) -> np.ndarray:
    pixels = read_image(path)
    if pixels.shape[:2] != (record.height, record.width):
        raise ValueError(
            f"saliency map {path} is {pixels.shape[:2]}, but image {record.image_id} is "
            f"{(record.height, record.width)}; resize the map to its image"
        )
    levels = pixels[..., 0]
    if not (pixels == levels[..., None]).all():
        raise ValueError(
            f"saliency map {path} has colours; save it as 8-bit grey, 0 not salient, 255 salient"
        )
    return levels
