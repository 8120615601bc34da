"""Masks of one's own data: where they stand, and in which order of classes."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsss.data.checks import check_image, check_mask
from wsss.data.images import Header
from wsss.data.index import examples
from wsss.data.sets._class_values import class_values
from wsss.store.masks import IGNORE_INDEX, read_mask, write_mask

log = logging.getLogger(__name__)


class FileJob(NamedTuple):
    """An image, its mask if it has one, and where that is written anew if it must be."""

    image: Path
    mask: Path | None
    target: Path | None


@dataclass(frozen=True)
class Masks:
    """The masks of a data set.

    Attributes:
        sources: As they were found, by image id.
        targets: Where they are written anew, by image id, if their values must change.
        values: The new value of each value in a mask, (256,) uint8.
        num_classes: With background, of those that the masks were drawn for.
    """

    sources: Mapping[str, Path]
    targets: Mapping[str, Path]
    values: np.ndarray
    num_classes: int

    def job(self, image_id: str, image: Path) -> FileJob:
        """Return what there is to do for an image."""
        return FileJob(image, self.sources.get(image_id), self.targets.get(image_id))

    def of(self, image_id: str) -> Path | None:
        """Return the mask of an image as later stages read it, None where it has none."""
        return self.targets.get(image_id) or self.sources.get(image_id)


def arrange_masks(
    sources: Mapping[str, Path], classes: Sequence[str], order: Sequence[str], *, folder: Path
) -> Masks:
    """Return how masks become those of the classes.

    Args:
        sources: As they were found, by image id.
        classes: Those that the masks are to hold.
        order: Those that they hold as 1, 2, 3 ..., or none where these are the same.
        folder: Gets those whose values must change.

    Raises:
        ValueError: A class is not among those in the masks.
    """
    held = tuple(order) or tuple(classes)
    values = class_values(held, classes)
    changed = sources if held != tuple(classes) else ()
    targets = {image_id: folder / f"{image_id}.png" for image_id in changed}
    return Masks(sources, targets, values, len(held) + 1)


def find_masks(folder: Path, paths: Mapping[str, Path], images: Path) -> dict[str, Path]:
    """Return the masks of images: PNG files of the same path within the folder, or named by the id.

    Args:
        folder: Of the masks.
        paths: Image files by id.
        images: Folder of the images.

    Raises:
        ValueError: The folder does not exist, no image has a mask, or one has two.
    """
    if not folder.is_dir():
        raise ValueError(
            f"folder {folder} of masks does not exist; link the masks there, or set masks to ''"
        )
    found: dict[str, Path] = {}
    for image_id, path in paths.items():
        beside = folder / path.relative_to(images).with_suffix(".png")
        named = dict.fromkeys([beside, folder / f"{image_id}.png"])
        places = [place for place in named if place.is_file()]
        if len(places) > 1:
            raise ValueError(f"image {path} has the masks {places[0]} and {places[1]}; keep one")
        if places:
            found[image_id] = places[0]
    if not found:
        raise ValueError(
            f"folder {folder} has no mask of any image; masks are PNG files named as the "
            f"images, e.g. {folder / f'{next(iter(paths))}.png'}"
        )
    return found


def check_files(
    job: FileJob, *, values: np.ndarray, num_classes: int, max_megapixels: float
) -> tuple[Header, tuple[int, ...]]:
    """Return an image's header and the numbers of the classes that its mask shows, from 0 on.

    The mask is written anew where it must be.

    Args:
        job: The files.
        values: As in `Masks`.
        num_classes: Likewise.
        max_megapixels: Million pixels that an image may have.

    Raises:
        ValueError: The image is unreadable or too large, or the mask does not fit it.
    """
    header = check_image(job.image, max_megapixels=max_megapixels)
    if job.mask is None:
        return header, ()
    check_mask(job.mask, header, num_classes=num_classes)
    mask = values[read_mask(job.mask)]
    if job.target:
        write_mask(job.target, mask)
    present = set(np.unique(mask).tolist()) - {0, IGNORE_INDEX}
    return header, tuple(sorted(value - 1 for value in present))


def warn_of_masks(drawn: Mapping[str, Sequence[str]], labels: Mapping[str, Sequence[str]]) -> None:
    """Log masks that show a class which the image's labels lack: their values may be mistaken.

    Args:
        drawn: The classes in the masks, by image id.
        labels: The labels, by image id.
    """
    strange = [
        f"{image_id}: {', '.join(name for name in names if name not in labels[image_id])}"
        for image_id, names in drawn.items()
        if set(names) - set(labels[image_id])
    ]
    if strange:
        log.warning(
            "%d of %d masks show a class that the labels of the image lack (%s): if that is not "
            "meant, the masks have another order of classes; name it in mask_classes",
            len(strange),
            len(drawn),
            examples(strange),
        )
