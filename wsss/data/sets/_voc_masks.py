"""Ground truth masks in PASCAL VOC's layout: as they are, of some classes only, or of SBD."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsss.data.checks import check_image, check_mask
from wsss.data.images import Header
from wsss.data.sets._sbd import read_sbd_mask
from wsss.store.masks import IGNORE_INDEX, read_class_mask, write_mask


class ImageJob(NamedTuple):
    """An image, and where its ground truth stands: a PNG, a file of SBD's, or None."""

    split: str
    path: Path
    mask: Path | None


def read_image_and_mask(
    job: ImageJob,
    *,
    values: np.ndarray | None,
    num_classes: int,
    folder: Path,
    max_megapixels: float,
) -> tuple[Header, Path | None]:
    """Return an image's header and its mask, which is written to a folder where it is not ours yet.

    Args:
        job: The image.
        values: As of `class_values`, or None where all stay.
        num_classes: Classes of the masks as they are, with background.
        folder: Gets the masks that have to be written.
        max_megapixels: Million pixels that an image may have.

    Raises:
        ValueError: The image is unreadable or too large, or the mask does not fit it.
    """
    header = check_image(job.path, max_megapixels=max_megapixels)
    if job.mask is None:
        return header, None
    if job.mask.suffix == ".mat":
        mask = _sbd_mask(job.mask, header, num_classes)
    else:
        check_mask(job.mask, header, num_classes=num_classes)
        if values is None:
            return header, job.mask
        mask = read_class_mask(job.mask, num_classes=num_classes)
    own = folder / f"{job.path.stem}.png"
    write_mask(own, mask if values is None else values[mask])
    return header, own


def _sbd_mask(path: Path, header: Header, num_classes: int) -> np.ndarray:
    mask = read_sbd_mask(path)
    if mask.shape != header.size:
        raise ValueError(
            f"mask {path} is {mask.shape}, but its image is {header.size}; fetch SBD again"
        )
    wrong = mask[(mask >= num_classes) & (mask != IGNORE_INDEX)]
    if wrong.size:
        raise ValueError(
            f"mask {path} holds the value {wrong.max()}, but {num_classes - 1} classes take 1 to "
            f"{num_classes - 1}; name VOC's 20 classes, in their order, as mask_classes"
        )
    return mask
