"""Images per second of the stages, and the share of their time spent waiting for images."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from bench.inputs import photographs, resnet50_classifier
from wsss.data.images import write_jpeg
from wsss.data.index import ImageRecord
from wsss.data.loading import full_image_batches
from wsss.localize.cam import localize
from wsss.models.deeplab import MultiScale, build_segmenter
from wsss.models.irn import IRNet
from wsss.models.segmentation import predict_probabilities
from wsss.store.masks import write_mask
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.classifier import train_classifier
from wsss.train.irn import train_irn
from wsss.train.segmenter import train_segmenter
from wsss.train.streams import labelled_stream, masked_stream

IMAGES = 16
CROP = 321
BATCH = 4
STEPS = 4
CLASSES = 20


class Clock:
    """Passes batches on; counts images and the seconds of waiting for them, after the first batch.

    The first batch pays for the start: processes, caches, the choice of convolutions.
    """

    def __init__(self) -> None:
        self.started = self.waited = 0.0
        self.images = 0

    def watch(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches, pairs whose first part has one entry per image."""
        asked = time.perf_counter()
        for batch in batches:
            now = time.perf_counter()
            if self.started:
                self.waited += now - asked
                self.images += len(batch[0])
            else:
                self.started = now
            yield batch
            asked = time.perf_counter()


@dataclass(frozen=True)
class WatchedStream(BatchStream):
    """A training's batches under a clock."""

    clock: Clock

    def batches(self, first_step: int, steps: int) -> Iterator[Any]:
        """Yield the batches of steps `first_step` to `steps` - 1."""
        yield from self.clock.watch(super().batches(first_step, steps))


@dataclass(frozen=True)
class Data:
    """Photographs on a disk, as the stages read them."""

    records: list[ImageRecord]
    masks: dict[str, Path]
    folder: Path


def measure_throughput() -> pd.DataFrame:
    """Return a row per stage: images/s, and the share of the time spent waiting for images."""
    with tempfile.TemporaryDirectory() as folder:
        data = _write_data(Path(folder))
        return pd.DataFrame([_row(name, stage, data) for name, stage in STAGES.items()])


def _row(name: str, stage: Callable[[Data, Clock], None], data: Data) -> dict[str, Any]:
    clock = Clock()
    stage(data, clock)
    seconds = time.perf_counter() - clock.started
    return {
        "stage": name,
        "images": clock.images,
        "images_per_s": clock.images / seconds,
        "waiting": clock.waited / seconds,
    }


def _write_data(folder: Path) -> Data:
    records, masks = [], {}
    for number, image in enumerate(photographs(IMAGES)):
        name = f"{number:04d}"
        write_jpeg(folder / f"{name}.jpg", image, quality=90)
        masks[name] = folder / f"{name}.png"
        # Brightness as mask: what matters is that there are regions.
        write_mask(masks[name], (cv2.blur(image, (31, 31))[..., 0] // 64).astype(np.uint8))
        records.append(ImageRecord(name, folder / f"{name}.jpg", "train", *image.shape[:2], ()))
    return Data(records, masks, folder)


def _labelled(data: Data, clock: Clock) -> BatchStream:
    labels = np.eye(CLASSES, dtype=np.float32)[np.arange(IMAGES) % CLASSES]
    views = {"batch_size": BATCH, "resize_long": (320, 640), "crop_size": CROP}
    stream = labelled_stream(data.records, labels, **views, random_seed=0, workers=1)
    return WatchedStream(**vars(stream), clock=clock)


def _masked(data: Data, clock: Clock) -> BatchStream:
    views = {"batch_size": BATCH, "scales": (0.5, 1.0, 1.5), "crop_size": CROP}
    stream = masked_stream(data.records, data.masks, **views, random_seed=0, workers=1)
    return WatchedStream(**vars(stream), clock=clock)


def _checkpoint(data: Data) -> RunningCheckpoint:
    return RunningCheckpoint(data.folder / "none.running.safetensors", fingerprint="bench")


def _classifier(data: Data, clock: Clock) -> None:
    train_classifier(
        resnet50_classifier(),
        _labelled(data, clock),
        epochs=STEPS * BATCH / IMAGES,
        learning_rate=1e-4,
        head_multiplier=10,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="poly",
        batch_norm="frozen",
        frozen_stages=3,
        checkpoint=_checkpoint(data),
    )


def _cam(data: Data, clock: Clock) -> None:
    classifier = resnet50_classifier()
    for batch, images in clock.watch(full_image_batches(data.records, batch_size=BATCH)):
        localize(
            classifier,
            images,
            [np.array([3])] * len(batch),
            scales=(0.5, 1.0, 1.5, 2.0),
            map_stride=4,
            alignment="centres",
            batch_size=2 * BATCH,
            precision="full",
        )


def _irn(data: Data, clock: Clock) -> None:
    irnet = IRNet(resnet50_classifier().backbone)
    train_irn(
        irnet,
        _masked(data, clock),
        epochs=STEPS * BATCH / IMAGES,
        radius=10,
        learning_rate=1e-4,
        displacement_factor=10,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="poly",
        checkpoint=_checkpoint(data),
    )


def _segmenter() -> MultiScale:
    torch.manual_seed(0)
    return build_segmenter(
        "deeplab_v2",
        "resnet50",
        num_classes=CLASSES + 1,
        atrous_rates=(6, 12, 18, 24),
        scales=(0.5, 0.75),
    )


def _deeplab(data: Data, clock: Clock) -> None:
    train_segmenter(
        _segmenter(),
        _masked(data, clock),
        iterations=STEPS,
        iter_size=1,
        learning_rate=1e-4,
        head_multiplier=10,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="poly",
        loss="cross_entropy",
        batch_norm="frozen",
        checkpoint=_checkpoint(data),
    )


def _inference(data: Data, clock: Clock) -> None:
    segmenter = _segmenter().eval()
    for _, images in clock.watch(full_image_batches(data.records, batch_size=BATCH)):
        predict_probabilities(segmenter, images, scales=(0.75, 1.0, 1.25), flip=True)


STAGES = {
    "Classifier training": _classifier,
    "CAM, 4 scales and flips": _cam,
    "IRN training": _irn,
    "DeepLab-v2 training": _deeplab,
    "DeepLab-v2 inference, 3 scales and flips": _inference,
}
