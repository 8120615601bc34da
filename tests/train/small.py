"""A data set of a few small pictures, and streams and networks for them."""

from pathlib import Path

import numpy as np
import torch

from wsss.data.images import write_jpeg
from wsss.data.index import ImageRecord
from wsss.models.classifier import Classifier, build_classifier
from wsss.store.masks import write_mask
from wsss.train.batches import BatchStream
from wsss.train.objectives.step import load_objective
from wsss.train.streams import labelled_stream, masked_stream

CLASSES = ("red", "green")
COMPUTING = {"precision": "full", "channels_last": True, "compiled": False}
GROWING = {
    "foreground_threshold": 0.4, "background_threshold": 0.4, "grown_by": "crf",
    "boundary_weight": 1.0, "ratio_limit": 20,
    "crf": {"unary": "probability", "iterations": 2, "gaussian_sxy": 0.25, "gaussian_compat": 3,
            "bilateral_sxy": 6.67, "bilateral_srgb": 13, "bilateral_compat": 10},
}  # fmt: skip
NOTHING_ADDED = {"importance_sampling": None, "feature_similarity": None}
PLAIN = load_objective("plain", {}, classes=CLASSES, **NOTHING_ADDED)
SIZES = ((32, 40), (40, 32), (32, 40), (32, 32), (40, 32), (32, 40))


def write_images(folder: Path) -> list[ImageRecord]:
    """Write six noisy pictures, red and green in turn, masks and seeds; return their records."""
    rng = np.random.default_rng(0)
    records = []
    for number, (height, width) in enumerate(SIZES):
        image = rng.integers(0, 90, (height, width, 3), dtype=np.uint8)
        image[:, :, number % 2] += 150
        mask = np.zeros((height, width), np.uint8)
        mask[8:24, 8:24] = number % 2 + 1
        path = folder / f"image{number}.jpg"
        write_jpeg(path, image, quality=95)
        write_mask(path.with_suffix(".png"), mask)
        seed = np.full((height, width), 255, np.uint8)
        seed[:4], seed[12:20, 12:20] = 0, number % 2 + 1
        write_mask(seed_of(path), seed)
        labels = (CLASSES[number % 2],)
        records.append(ImageRecord(f"image{number}", path, "train", height, width, labels))
    return records


def labels_of(records: list[ImageRecord]) -> np.ndarray:
    """Return the image labels (N, 2)."""
    return np.array([[float(name in r.labels) for name in CLASSES] for r in records], np.float32)


def stream_of(
    records: list[ImageRecord], *, batch_size: int = 2, workers: int = 0, saliency=None
) -> BatchStream:
    """Return labelled views of 32 pixels."""
    return labelled_stream(
        records, labels_of(records), saliency=saliency, batch_size=batch_size, resize_long=(32, 40),
        crop_size=32, random_seed=0, workers=workers,
    )  # fmt: skip


def masks_of(records: list[ImageRecord]) -> dict[str, Path]:
    """Return the mask files by image id."""
    return {record.image_id: record.path.with_suffix(".png") for record in records}


def seed_of(path: Path) -> Path:
    """Return the file of an image's seed, of which most pixels are unsure."""
    return path.with_name(f"{path.stem}_seed.png")


def masked_stream_of(records: list[ImageRecord], *, batch_size: int) -> BatchStream:
    """Return views of 32 pixels with their masks."""
    return masked_stream(
        records, masks_of(records), batch_size=batch_size, scales=(1.0,), crop_size=32,
        random_seed=0, workers=0,
    )  # fmt: skip


def growing_stream_of(records: list[ImageRecord], *, batch_size: int) -> BatchStream:
    """Return views of 48 pixels, more than the pictures have, with seeds that may grow."""
    return masked_stream(
        records, {record.image_id: seed_of(record.path) for record in records}, labels_of(records),
        batch_size=batch_size, scales=(1.0,), crop_size=48, random_seed=0, workers=0,
    )  # fmt: skip


def small_classifier(random_seed: int = 0) -> Classifier:
    """Return a compact classifier of the two classes."""
    torch.manual_seed(random_seed)
    return build_classifier("compact", num_classes=len(CLASSES))


def equal_tensors(one: dict, other: dict) -> bool:
    """Whether two dictionaries hold the same names and the same bits."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
