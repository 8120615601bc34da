"""Batch streams of the trainings: records in, batches out."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wsss.data.index import ImageRecord
from wsss.data.loading import ClassificationImages, SegmentationImages
from wsss.train.batches import BatchStream

log = logging.getLogger(__name__)


def labelled_stream(
    records: Sequence[ImageRecord],
    image_labels: np.ndarray,
    *,
    saliency: Mapping[str, Path] | None,
    batch_size: int,
    resize_long: Sequence[int],
    crop_size: int,
    random_seed: int,
    workers: int,
) -> BatchStream:
    """Return augmented views with their image labels (N, C), in an order and views of one seed.

    With `saliency`, the files of saliency maps by image id, batches are (pixels, labels, saliency)
    instead of (pixels, labels), with the same pixels.

    Raises:
        ValueError: An image has no saliency map.
    """
    if batch_size > len(records):
        log.warning(
            "batches of %d hold images more than once: there are %d", batch_size, len(records)
        )
    images = ClassificationImages(
        records,
        image_labels,
        saliency=None if saliency is None else _files(records, saliency, noun="saliency map"),
        resize_long=(resize_long[0], resize_long[1]),
        crop_size=crop_size,
        random_seed=random_seed,
    )
    return BatchStream(images, _ids(records), batch_size, random_seed, workers)


def masked_stream(
    records: Sequence[ImageRecord],
    masks: Mapping[str, Path],
    image_labels: np.ndarray | None = None,
    *,
    batch_size: int,
    scales: Sequence[float],
    crop_size: int,
    random_seed: int,
    workers: int,
) -> BatchStream:
    """Return augmented views with their masks, which are found by image id.

    With image labels (N, C) the views are for a seed that grows, see `SegmentationImages`.

    Raises:
        ValueError: An image has no mask.
    """
    images = SegmentationImages(
        records,
        _files(records, masks, noun="mask"),
        image_labels,
        scales=tuple(scales),
        crop_size=crop_size,
        random_seed=random_seed,
    )
    return BatchStream(images, _ids(records), batch_size, random_seed, workers)


def _files(records: Sequence[ImageRecord], files: Mapping[str, Path], *, noun: str) -> list[Path]:
    """Return the file of every image.

    Raises:
        ValueError: An image has none.
    """
    missing = [record.image_id for record in records if record.image_id not in files]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(records)} images have no {noun} (the first is {missing[0]}): "
            "run the workflow again to make them"
        )
    return [files[record.image_id] for record in records]


def _ids(records: Sequence[ImageRecord]) -> list[str]:
    return [record.image_id for record in records]
