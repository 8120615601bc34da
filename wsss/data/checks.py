"""Checks of the files of a data set that its `prepare` makes, whatever the data set."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from wsss.data.images import Header, image_size, read_header
from wsss.data.index import examples
from wsss.data.records import SPLITS, ImageRecord
from wsss.store.masks import read_class_mask

log = logging.getLogger(__name__)


def check_image(path: Path, *, max_megapixels: float) -> Header:
    """Return the header of an image that the stages can take as a whole.

    Raises:
        ValueError: The header cannot be read, or the image has more than `max_megapixels` million
            pixels.
    """
    header = read_header(path)
    height, width = header.size
    if height * width > max_megapixels * 1e6:
        raise ValueError(
            f"image {path} has {width} x {height} = {height * width / 1e6:.1f} million pixels, but "
            f"max_megapixels is {max_megapixels:g}; shrink it (and its mask), or raise "
            "max_megapixels, whose description says what memory that takes"
        )
    return header


def check_mask(mask: Path, header: Header, *, num_classes: int) -> None:
    """Check that a ground truth mask has its image's size, and no value but those of classes.

    Raises:
        ValueError: It has not, or cannot be read.
    """
    size = image_size(mask)
    if size != header.size:
        turned = header.turned and size == header.size[::-1]
        hint = "save the image upright, as its EXIF tag has it" if turned else "make it again"
        raise ValueError(f"mask {mask} is {size}, but its image is {header.size}; {hint}")
    read_class_mask(mask, num_classes=num_classes)


def checked_together(
    records: Sequence[ImageRecord], headers: Sequence[Header]
) -> list[ImageRecord]:
    """Return the records without candidates that are copies, and log what is odd among them.

    Args:
        records: Of all splits.
        headers: Of their files, in the same order.
    """
    pairs = list(zip(records, headers, strict=True))
    if turned := [record.path.name for record, header in pairs if header.turned]:
        log.warning(
            "%d images have an EXIF orientation, which is not applied (%s): they are learnt as "
            "stored, turned or mirrored; save them upright if that is not meant",
            len(turned),
            examples(turned),
        )
    return _without_copies(pairs)


def _without_copies(pairs: Sequence[tuple[ImageRecord, Header]]) -> list[ImageRecord]:
    """Return the records but for OoD candidates whose file is that of a train or val image.

    Such a candidate would be trained to show no class. Links and byte-identical copies are found;
    only files of equal image size and file size are read, so this is cheap for millions.
    """
    alike: dict[tuple[int, ...], list[ImageRecord]] = {
        _size_key(header): [] for record, header in pairs if record.split != "ood"
    }
    for record, header in pairs:
        if _size_key(header) in alike:
            alike[_size_key(header)].append(record)
    copies: dict[ImageRecord, ImageRecord] = {}
    for group in alike.values():
        if len({record.split for record in group}) > 1:
            copies |= _copies(group)
    _log_copies(
        "%d OoD candidates are copies of train or val images and left out (%s)",
        {record: first for record, first in copies.items() if record.split == "ood"},
    )
    _log_copies(
        "%d val images are copies of train images (%s): scores on them are too good; take them "
        "out of one list",
        {record: first for record, first in copies.items() if record.split == "val"},
    )
    return [record for record, _ in pairs if record.split != "ood" or record not in copies]


def _size_key(header: Header) -> tuple[int, ...]:
    return (*header.size, header.file_bytes)


def _copies(group: Sequence[ImageRecord]) -> dict[ImageRecord, ImageRecord]:
    """Return the val and OoD images that copy one of an earlier split, with that one."""
    first: dict[str, ImageRecord] = {}
    found = {}
    for record in sorted(group, key=lambda record: SPLITS.index(record.split)):
        digest = hashlib.sha256(record.path.read_bytes()).hexdigest()
        original = first.setdefault(digest, record)
        # One id in two splits is for the check of the records, which refuses it.
        if original.split != record.split and original.image_id != record.image_id:
            found[record] = original
    return found


def _log_copies(message: str, copies: Mapping[ImageRecord, ImageRecord]) -> None:
    pairs = [f"{record.image_id} of {first.image_id}" for record, first in copies.items()]
    if pairs:
        log.warning(message, len(pairs), examples(pairs))
