"""Images on their way into a network; the only file of `data` that needs torch."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from wsss.data.images import read_image
from wsss.data.index import ImageRecord, group_by_size
from wsss.data.transforms import (
    IGNORE_INDEX,
    augment_for_classification,
    augment_for_segmentation,
)
from wsss.store.masks import read_mask
from wsss.store.saliency import read_saliency_map

READ_AHEAD = 2
_ORDER = 1
# Stands for an unsure pixel of an image on its way into a view, whose padding is IGNORE_INDEX.
_UNSURE = 254


class ClassificationImages(Dataset[tuple[torch.Tensor, ...]]):
    """Random views of images, with their image labels and perhaps their saliency maps.

    A key is (draw, index): the number of the view in the whole training, and of the image. The
    draw alone seeds the view, so neither the count of workers nor a resumption changes it.

    Args:
        records: The images.
        image_labels: (N, C) float32, multi-hot.
        saliency: One file of a saliency map per image, or None; the views are the same with both.
        resize_long: See `augment_for_classification`.
        crop_size: Side of the views in pixels.
        random_seed: Of the views.

    Raises:
        ValueError: There is not one row of labels, or one saliency map, per image.
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        image_labels: np.ndarray,
        *,
        saliency: Sequence[Path] | None,
        resize_long: tuple[int, int],
        crop_size: int,
        random_seed: int,
    ) -> None:
        if saliency is not None and len(saliency) != len(records):
            raise ValueError(f"{len(saliency)} saliency maps do not fit {len(records)} images")
        self.image_labels = _row_each(image_labels, len(records))
        self.saliency = None if saliency is None else list(saliency)
        self.records = list(records)
        self.resize_long = resize_long
        self.crop_size = crop_size
        self.random_seed = random_seed

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, ...]:
        """Return the view (3, S, S) uint8 RGB and the labels (C,) float32.

        With saliency maps, also that of the view, (S, S) float32 in 0..1, 0 outside of the image.

        Raises:
            ValueError: A file cannot be read, or image and saliency map differ in size.
        """
        draw, index = key
        image = read_record(self.records[index])
        view, salient = augment_for_classification(
            image,
            self._saliency_of(index, image.shape[:2]),
            np.random.default_rng([self.random_seed, draw]),
            resize_long=self.resize_long,
            crop_size=self.crop_size,
        )
        if salient is None:
            return _channels_first(view), self.image_labels[index]
        shares = torch.from_numpy(np.ascontiguousarray(salient)).float() / 255
        return _channels_first(view), self.image_labels[index], shares

    def _saliency_of(self, index: int, size: tuple[int, ...]) -> np.ndarray | None:
        if self.saliency is None:
            return None
        saliency = read_saliency_map(self.saliency[index])
        if saliency.shape != size:
            raise ValueError(
                f"saliency map {self.saliency[index]} is {saliency.shape}, but image "
                f"{self.records[index].image_id} is {size}; make the saliency map again"
            )
        return saliency


class SegmentationImages(Dataset[tuple[torch.Tensor, ...]]):
    """Random views of images and of the masks to be learnt; keys as in `ClassificationImages`.

    Args:
        records: The images.
        masks: One mask file per image: pseudo-masks, or ground truth for an upper bound.
        image_labels: (N, C) float32, multi-hot, for a training that lets a seed grow; its views
            come with them. None for others.
        scales: See `augment_for_segmentation`.
        crop_size: Side of the views in pixels.
        random_seed: Of the views.

    Raises:
        ValueError: There is not one mask, and one row of labels, per image, or there are too many
            classes for a seed that grows.
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        masks: Sequence[Path],
        image_labels: np.ndarray | None = None,
        *,
        scales: tuple[float, ...],
        crop_size: int,
        random_seed: int,
    ) -> None:
        if len(masks) != len(records):
            raise ValueError(f"{len(masks)} masks do not fit {len(records)} images")
        self.records = list(records)
        self.masks = list(masks)
        self.image_labels = None if image_labels is None else _row_each(image_labels, len(records))
        if image_labels is not None and image_labels.shape[1] >= _UNSURE:
            raise ValueError(
                f"a seed can grow among at most {_UNSURE - 1} classes, not "
                f"{image_labels.shape[1]}: set seed_growing to null"
            )
        self.scales = scales
        self.crop_size = crop_size
        self.random_seed = random_seed

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, ...]:
        """Return the view (3, S, S) uint8 RGB and its mask (S, S) uint8, 255 ignored.

        With image labels these (C,) come third, and fourth whether a pixel is of the image rather
        than of its padding, (S, S) bool: where a seed may grow.

        Raises:
            ValueError: A file cannot be read, or image and mask differ in size.
        """
        draw, index = key
        image, mask = read_record(self.records[index]), read_mask(self.masks[index])
        if mask.shape != image.shape[:2]:
            raise ValueError(
                f"mask {self.masks[index]} is {mask.shape}, but image "
                f"{self.records[index].image_id} is {image.shape[:2]}; make the mask again"
            )
        if self.image_labels is not None:
            mask = np.where(mask == IGNORE_INDEX, _UNSURE, mask).astype(np.uint8)
        view, view_mask = augment_for_segmentation(
            image,
            mask,
            np.random.default_rng([self.random_seed, draw]),
            scales=self.scales,
            crop_size=self.crop_size,
        )
        pixels, labels = _channels_first(view), torch.from_numpy(np.ascontiguousarray(view_mask))
        if self.image_labels is None:
            return pixels, labels
        inside = labels != IGNORE_INDEX
        labels[labels == _UNSURE] = IGNORE_INDEX
        return pixels, labels, self.image_labels[index], inside


def _row_each(image_labels: np.ndarray, count: int) -> torch.Tensor:
    if image_labels.ndim != 2 or len(image_labels) != count:
        raise ValueError(
            f"image_labels {image_labels.shape} do not fit {count} images; expected (N, C)"
        )
    return torch.from_numpy(np.array(image_labels, dtype=np.float32))


def read_record(record: ImageRecord) -> np.ndarray:
    """Return a record's image, (H, W, 3) uint8 RGB.

    Raises:
        ValueError: The file cannot be read, or is not as large as the index says.
    """
    image = read_image(record.path)
    if image.shape[:2] != (record.height, record.width):
        raise ValueError(
            f"image {record.path} is {image.shape[:2]}, but the index says "
            f"{(record.height, record.width)}; prepare the data set again"
        )
    return image


def _channels_first(view: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1)))


def epoch_keys(count: int, *, random_seed: int, draws: range) -> list[tuple[int, int]]:
    """Return the keys (draw, index) of some draws out of an endless training.

    Draw d belongs to epoch d // count; each epoch shows every image once, in its own order.

    Args:
        count: Number of images.
        random_seed: Of the orders.
        draws: Which draws; a resumed training asks for the rest.

    Raises:
        ValueError: There are no images.
    """
    if count < 1:
        raise ValueError("there are no images to draw from; check the split and the selection")

    @lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        # The last number keeps the orders apart from the views, which draws alone seed.
        return np.random.default_rng([random_seed, epoch, _ORDER]).permutation(count)

    return [(draw, int(order(draw // count)[draw % count])) for draw in draws]


def full_image_batches(
    records: Sequence[ImageRecord], *, batch_size: int
) -> Iterator[tuple[list[ImageRecord], np.ndarray]]:
    """Yield batches of whole images of one exact size, read ahead by a thread.

    Yields:
        Up to `batch_size` records and their images, (B, H, W, 3) uint8 RGB.

    Raises:
        ValueError: The batch size is below 1, a file cannot be read, or is not as large as the
            index says.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, but must be at least 1")
    batches = (
        group[start : start + batch_size]
        for group in group_by_size(records)
        for start in range(0, len(group), batch_size)
    )
    with ThreadPoolExecutor(1) as thread:

        def submit(batch: list[ImageRecord]) -> tuple[list[ImageRecord], Future[np.ndarray]]:
            return batch, thread.submit(_stack, batch)

        waiting = deque(submit(batch) for batch in islice(batches, READ_AHEAD))
        while waiting:
            batch, images = waiting.popleft()
            yield batch, images.result()
            waiting.extend(submit(batch) for batch in islice(batches, 1))


def _stack(batch: list[ImageRecord]) -> np.ndarray:
    return np.stack([read_record(record) for record in batch])
