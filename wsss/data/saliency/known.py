"""Saliency maps from the ground truth. THEY USE PIXEL LABELS: an upper bound for experiments."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from wsss.data.index import read_ground_truth
from wsss.data.records import ImageRecord
from wsss.store.masks import read_mask

SOURCE = "PIXEL LABELS: the ground truth masks"
IGNORE_INDEX = 255


def saliency_maps(
    records: Sequence[ImageRecord], *, ground_truth: Path
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (image id, saliency map (H, W) uint8) of every image: 255 on objects of any class.

    Ignored pixels of the ground truth, as VOC's borders, count as not salient.

    Args:
        records: The images.
        ground_truth: Table of the masks.

    Raises:
        ValueError: An image has no mask, or one that cannot be read or has another size.
    """
    truth = read_ground_truth(ground_truth)
    for record in records:
        path = truth[record.image_id].mask
        if path is None:
            raise ValueError(
                f"image {record.image_id} has no ground truth mask to take its saliency from; use "
                "saliency maps of kind folder or opencv"
            )
        mask = read_mask(path)
        if mask.shape != (record.height, record.width):
            raise ValueError(
                f"mask {path} is {mask.shape}, but image {record.image_id} is "
                f"{(record.height, record.width)}; correct the mask"
            )
        yield (
            record.image_id,
            np.where((mask > 0) & (mask != IGNORE_INDEX), 255, 0).astype(np.uint8),
        )
