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
    batch_size: int,
    resize_long: Sequence[int],
    crop_size: int,
    random_seed: int,
    workers: int,
) -> BatchStream:
    """Return augmented views with their image labels (N, C), in an order and views of one seed."""
    if batch_size > len(records):
        log.warning(
            "batches of %d hold images more than once: there are %d", batch_size, len(records)
        )
    images = ClassificationImages(
        records,
        image_labels,
        resize_long=(resize_long[0], resize_long[1]),
        crop_size=crop_size,
        random_seed=random_seed,
    )
    return BatchStream(images, _ids(records), batch_size, random_seed, workers)


def masked_stream(
    records: Sequence[ImageRecord],
    masks: Mapping[str, Path],
    *,
    batch_size: int,
    scales: Sequence[float],
    crop_size: int,
    random_seed: int,
    workers: int,
) -> BatchStream:
    """Return augmented views with their masks, which are found by image id.

    Raises:
        ValueError: An image has no mask.
    """
    missing = [record.image_id for record in records if record.image_id not in masks]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(records)} images have no mask (the first is {missing[0]}): "
            "run the workflow again to make them"
        )
    images = SegmentationImages(
        records,
        [masks[record.image_id] for record in records],
        scales=tuple(scales),
        crop_size=crop_size,
        random_seed=random_seed,
    )
    return BatchStream(images, _ids(records), batch_size, random_seed, workers)


def _ids(records: Sequence[ImageRecord]) -> list[str]:
    return [record.image_id for record in records]
