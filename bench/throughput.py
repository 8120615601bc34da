"""Images per second of the stages, and the share of their time spent waiting for images."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.inputs import device, photographs, resnet50_classifier
from bench.matmul import matmul_rate
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

CLASSES = 20
COMPUTING = {"precision": "full", "channels_last": True, "compiled": False}


class Size(NamedTuple):
    """How much a stage gets: images on the disk, and a training's batches, crops and steps."""

    images: int
    batch: int
    crop: int
    steps: int
    workers: int


SIZES = {
    "cpu": Size(images=16, batch=4, crop=321, steps=4, workers=1),
    "cuda": Size(images=128, batch=16, crop=512, steps=24, workers=8),
}


class Clock:
    """Passes batches on; counts images and the seconds of waiting for them, after the first batch.

    The first batch pays for the start: processes, caches, the choice of convolutions. `first` is
    its number of images.
    """

    def __init__(self) -> None:
        self.started = self.waited = 0.0
        self.images = self.first = 0

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
                self.first = len(batch[0])
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
    size: Size


Stage = Callable[[Data, Clock], None]


def measure_throughput() -> pd.DataFrame:
    """Return a row per stage: images/s, the share of the time spent waiting for images, and speed.

    Speed is the networks' share of the device's own rate of float32 matrix products.
    """
    rate = matmul_rate(device(), torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        data = _write_data(Path(folder), SIZES[device().type])
        return pd.DataFrame([_row(name, stage, data, rate) for name, stage in STAGES.items()])


def _row(name: str, stage: Stage, data: Data, rate: float) -> dict[str, Any]:
    clock = Clock()
    with FlopCounterMode(display=False) as counter:
        stage(data, clock)
    seconds = time.perf_counter() - clock.started
    per_image = counter.get_total_flops() / (clock.images + clock.first)
    return {
        "stage": name,
        "images": clock.images,
        "images_per_s": clock.images / seconds,
        "waiting": clock.waited / seconds,
        "of_matmul_rate": per_image * clock.images / seconds / rate,
    }


def _write_data(folder: Path, size: Size) -> Data:
    records, masks = [], {}
    for number, image in enumerate(photographs(size.images)):
        name = f"{number:04d}"
        write_jpeg(folder / f"{name}.jpg", image, quality=90)
        masks[name] = folder / f"{name}.png"
        # Brightness as mask: what matters is that there are regions.
        write_mask(masks[name], (cv2.blur(image, (31, 31))[..., 0] // 64).astype(np.uint8))
        records.append(ImageRecord(name, folder / f"{name}.jpg", "train", *image.shape[:2], ()))
    return Data(records, masks, folder, size)


def _labelled(data: Data, clock: Clock) -> BatchStream:
    size = data.size
    labels = np.eye(CLASSES, dtype=np.float32)[np.arange(size.images) % CLASSES]
    views = {"batch_size": size.batch, "resize_long": (320, 640), "crop_size": size.crop}
    stream = labelled_stream(data.records, labels, **views, random_seed=0, workers=size.workers)
    return WatchedStream(**vars(stream), clock=clock)


def _masked(data: Data, clock: Clock) -> BatchStream:
    size = data.size
    views = {"batch_size": size.batch, "scales": (0.5, 1.0, 1.5), "crop_size": size.crop}
    stream = masked_stream(data.records, data.masks, **views, random_seed=0, workers=size.workers)
    return WatchedStream(**vars(stream), clock=clock)


def _checkpoint(data: Data) -> RunningCheckpoint:
    return RunningCheckpoint(data.folder / "none.running.safetensors", fingerprint="bench")


def _epochs(size: Size) -> float:
    return size.steps * size.batch / size.images


def _classifier(data: Data, clock: Clock) -> None:
    train_classifier(
        resnet50_classifier(),
        _labelled(data, clock),
        epochs=_epochs(data.size),
        learning_rate=1e-4,
        head_multiplier=10,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="poly",
        batch_norm="frozen",
        frozen_stages=3,
        computing=COMPUTING,
        checkpoint=_checkpoint(data),
    )


def _cam(data: Data, clock: Clock) -> None:
    classifier = resnet50_classifier()
    for batch, images in clock.watch(full_image_batches(data.records, batch_size=data.size.batch)):
        localize(
            classifier,
            images,
            [np.array([3])] * len(batch),
            scales=(0.5, 1.0, 1.5, 2.0),
            map_stride=4,
            alignment="centres",
            batch_size=2 * data.size.batch,
            precision="full",
        )


def _irn(data: Data, clock: Clock) -> None:
    irnet = IRNet(resnet50_classifier().backbone).to(device())
    train_irn(
        irnet,
        _masked(data, clock),
        epochs=_epochs(data.size),
        radius=10,
        learning_rate=1e-4,
        displacement_factor=10,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="poly",
        computing=COMPUTING,
        checkpoint=_checkpoint(data),
    )


def _segmenter() -> MultiScale:
    torch.manual_seed(0)
    segmenter = build_segmenter(
        "deeplab_v2",
        "resnet50",
        num_classes=CLASSES + 1,
        atrous_rates=(6, 12, 18, 24),
        scales=(0.5, 0.75),
    )
    return segmenter.to(device())


def _deeplab(data: Data, clock: Clock) -> None:
    train_segmenter(
        _segmenter(),
        _masked(data, clock),
        iterations=data.size.steps,
        iter_size=1,
        learning_rate=1e-4,
        head_multiplier=10,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="poly",
        loss="cross_entropy",
        batch_norm="frozen",
        computing=COMPUTING,
        checkpoint=_checkpoint(data),
    )


def _inference(data: Data, clock: Clock) -> None:
    segmenter = _segmenter().eval()
    for _, images in clock.watch(full_image_batches(data.records, batch_size=data.size.batch)):
        views = {"scales": (0.75, 1.0, 1.25), "flip": True, "memory_gb": 4.0}
        for _ in predict_probabilities(segmenter, images, **views):
            pass


STAGES: dict[str, Stage] = {
    "Classifier training": _classifier,
    "CAM, 4 scales and flips": _cam,
    "IRN training": _irn,
    "DeepLab-v2 training": _deeplab,
    "DeepLab-v2 inference, 3 scales and flips": _inference,
}
