"""Images per second of the stages, and the share of their time spent waiting for images."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch

from bench.inputs import device, photographs, resnet50_classifier
from bench.matmul import matmul_rate
from bench.operations import OperationCounter
from wsss.data.images import write_jpeg
from wsss.data.index import ImageRecord
from wsss.data.loading import full_image_batches
from wsss.localize.advcam import localize as climb
from wsss.localize.cam import localize
from wsss.models.deeplab import MultiScale, build_segmenter
from wsss.models.irn import IRNet
from wsss.models.segmentation import predict_probabilities
from wsss.store.masks import write_mask
from wsss.train.batches import BatchStream
from wsss.train.checkpoint import RunningCheckpoint
from wsss.train.classifier import train_classifier
from wsss.train.irn import train_irn
from wsss.train.objectives.step import load_objective
from wsss.train.segmenter import train_segmenter
from wsss.train.streams import labelled_stream, masked_stream
from wsss.train.wood import train_wood

CLASSES = 20
COMPUTING = {"precision": "full", "channels_last": True, "compiled": False}
PLAIN = load_objective("plain", {}, classes=(), importance_sampling=None, feature_similarity=None)
SGD = {"learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 1e-4, "schedule": "poly"}
FAST = {"precision": "bfloat16", "channels_last": True, "compiled": True}
# Batches that AdvCAM gets on a CPU, where a step of one takes minutes.
ADVCAM_BATCHES = 2


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

    Speed is the networks' share of the device's own rate of matrix products, in the row's type. Of
    a GPU, the peak of its memory counts (MiB), and trainings run compiled and in bfloat16 as well.
    """
    rate = matmul_rate(device(), torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        data = _write_data(Path(folder), SIZES[device().type])
        rows = {name: _row(name, stage, data, rate) for name, stage in STAGES.items()}
        if device().type == "cuda":
            rate = matmul_rate(device(), torch.bfloat16)
            for name, stage in TRAININGS.items():
                fast = _timed(f"{name}, bfloat16, compiled", partial(stage, computing=FAST), data)
                # As many operations as in full; nobody counts those of compiled code.
                speed = rows[name]["operations"] * fast["images_per_s"] / rate
                rows[fast["stage"]] = {**fast, "of_matmul_rate": speed}
        return pd.DataFrame(list(rows.values()))


def _row(name: str, stage: Stage, data: Data, rate: float) -> dict[str, Any]:
    with OperationCounter() as counter:
        row = _timed(name, stage, data)
    operations = counter.total / row.pop("seen")
    speed = operations * row["images_per_s"] / rate
    return {**row, "operations": operations, "of_matmul_rate": speed}


def _timed(name: str, stage: Stage, data: Data) -> dict[str, Any]:
    clock = Clock()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    stage(data, clock)
    seconds = time.perf_counter() - clock.started
    on_gpu = torch.cuda.is_available()
    return {
        "stage": name,
        "images": clock.images,
        "seen": clock.images + clock.first,
        "images_per_s": clock.images / seconds,
        "waiting": clock.waited / seconds,
        "gpu_mib": torch.cuda.max_memory_allocated() / 2**20 if on_gpu else float("nan"),
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
    stream = labelled_stream(
        data.records, labels, saliency=None, **views, random_seed=0, workers=size.workers
    )
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


def _classifier(data: Data, clock: Clock, *, computing: Mapping[str, Any] = COMPUTING) -> None:
    train_classifier(
        resnet50_classifier(),
        _labelled(data, clock),
        epochs=_epochs(data.size),
        head_multiplier=10,
        batch_norm="frozen",
        frozen_stages=3,
        computing=computing,
        checkpoint=_checkpoint(data),
        objective=PLAIN,
        **SGD,
        optimizer="sgd",
    )


def _wood(data: Data, clock: Clock, *, computing: Mapping[str, Any] = COMPUTING) -> None:
    classifier = resnet50_classifier()
    channels = classifier.head.in_channels
    torch.manual_seed(0)
    # Another clock: images of the training set count, each of which comes with one of these.
    train_wood(
        classifier,
        _labelled(data, clock),
        _labelled(data, Clock()),
        class_means=torch.rand(CLASSES, channels),
        cluster_means=torch.rand(50, channels),
        epochs=_epochs(data.size),
        stop_after_epochs=None,
        head_multiplier=10,
        batch_norm="frozen",
        frozen_stages=3,
        perturbation_step=0.07,
        lambda_=0.007,
        ood_coefficient=0.25,
        closest_fraction=0.2,
        metric="euclidean",
        distance_form="official",
        distance_parts="both",
        ood_form="official",
        excluded_class=None,
        local_ood_coefficient=0.0,
        computing=computing,
        checkpoint=_checkpoint(data),
        objective=PLAIN,
        **SGD,
        optimizer="sgd",
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


def _advcam(data: Data, clock: Clock) -> None:
    classifier, batch = resnet50_classifier(), data.size.batch
    records = data.records if device().type == "cuda" else data.records[: ADVCAM_BATCHES * batch]
    for part, images in clock.watch(full_image_batches(records, batch_size=batch)):
        climb(
            classifier,
            images,
            [np.array([3])] * len(part),
            scales=(0.5, 1.0, 1.5, 2.0),
            map_stride=4,
            alignment="centres",
            batch_size=2 * batch,
            precision="full",
            # The last of them has no way back.
            steps=2,
            step_size=0.08,
            regularization_weight=7.0,
            score_threshold=0.5,
            half_scale_steps="same",
            accumulation="plain",
        )


def _irn(data: Data, clock: Clock, *, computing: Mapping[str, Any] = COMPUTING) -> None:
    irnet = IRNet(resnet50_classifier().backbone).to(device())
    train_irn(
        irnet,
        _masked(data, clock),
        epochs=_epochs(data.size),
        radius=10,
        displacement_factor=10,
        computing=computing,
        checkpoint=_checkpoint(data),
        **SGD,
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


def _deeplab(data: Data, clock: Clock, *, computing: Mapping[str, Any] = COMPUTING) -> None:
    train_segmenter(
        _segmenter(),
        _masked(data, clock),
        iterations=data.size.steps,
        iter_size=1,
        head_multiplier=10,
        loss="cross_entropy",
        seed_growing=None,
        batch_norm="frozen",
        computing=computing,
        checkpoint=_checkpoint(data),
        **SGD,
    )


def _inference(data: Data, clock: Clock) -> None:
    segmenter = _segmenter().eval()
    for _, images in clock.watch(full_image_batches(data.records, batch_size=data.size.batch)):
        views = {"scales": (0.75, 1.0, 1.25), "flip": True, "memory_gb": 4.0}
        for _ in predict_probabilities(segmenter, images, **views):
            pass


STAGES: dict[str, Stage] = {
    "Classifier training": _classifier,
    "W-OoD training, an OoD image each": _wood,
    "CAM, 4 scales and flips": _cam,
    "AdvCAM, a step and a last map, 4 scales and flips": _advcam,
    "IRN training": _irn,
    "DeepLab-v2 training": _deeplab,
    "DeepLab-v2 inference, 3 scales and flips": _inference,
}
TRAININGS = {name: stage for name, stage in STAGES.items() if "training" in name}
