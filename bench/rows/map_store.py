"""Map files: float16 at the network's stride, compressed, against float32 at full size."""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from bench.compare import Comparison, largest_difference
from bench.inputs import HEIGHT, WIDTH, photographs, resnet50_classifier
from wsss.localize.cam import localize
from wsss.store.maps import MapReader, write_maps

IMAGES = 128
# The network sees as many photographs; the others have the same maps under other names.
DIFFERENT = 32


class Inputs(NamedTuple):
    """Maps at stride 4 and at full size, class ids, and a folder that goes when the inputs go."""

    small: list[np.ndarray]
    full: list[np.ndarray]
    class_ids: list[np.ndarray]
    temporary: tempfile.TemporaryDirectory

    @property
    def folder(self) -> Path:
        """Where both kinds of files stand."""
        return Path(self.temporary.name)


class Reading(NamedTuple):
    """The seconds of reading all images one after the other, and the maps of some."""

    seconds: float
    maps: list[np.ndarray]


def comparisons() -> list[Comparison]:
    """Return the bytes on disk, writing, and reading."""
    what = f"CAM of {IMAGES} photographs, 375 x 500, 1 or 2 classes each; plain: one .npy each"
    written = Comparison(
        name="Map store, writing",
        inputs=f"{what}; until all of it is on the disk",
        prepare=prepare,
        ours=_write_ours,
        plain=_write_plain,
        difference=_number_apart,
        tolerance=0,
        goal=1,
    )
    read = Comparison(
        name="Map store, reading at full size",
        inputs=f"{what}; the files were not read before. Float16 rounds by up to 2.5e-4",
        prepare=_prepare_and_write,
        ours=partial(_read, _ours_at_full_size, cached=False),
        plain=partial(_read, _plain_at_full_size, cached=False),
        difference=lambda ours, plain: largest_difference(ours.maps, plain.maps),
        tolerance=2.5e-4,
        goal=1,
        cost=lambda reading: reading.seconds,
    )
    return [
        replace(written, name="Map store, on disk", cost=_mebibytes, unit="MiB", goal=30),
        written,
        read,
        replace(
            read,
            name="Map store, reading again",
            inputs=f"{what}; all files fit in memory and are there already",
            ours=partial(_read, _ours_at_full_size, cached=True),
            plain=partial(_read, _plain_at_full_size, cached=True),
        ),
    ]


def prepare() -> Inputs:
    """Return the maps of a network."""
    class_ids = [np.array([3, 7][: 1 + number % 2]) for number in range(DIFFERENT)]
    small = localize(
        resnet50_classifier(),
        photographs(DIFFERENT),
        class_ids,
        scales=(1.0,),
        map_stride=4,
        alignment="official",
        batch_size=8,
        precision="full",
    )
    full = [np.stack([cv2.resize(one, (WIDTH, HEIGHT)) for one in maps]) for maps in small]
    times = IMAGES // DIFFERENT
    return Inputs(small * times, full * times, class_ids * times, tempfile.TemporaryDirectory())


def _prepare_and_write() -> Inputs:
    inputs = prepare()
    _write_ours(inputs)
    _write_plain(inputs)
    return inputs


def _write_ours(inputs: Inputs) -> list[Path]:
    path = inputs.folder / "maps.h5"
    items = (
        (f"{number:04d}", ids, maps, (HEIGHT, WIDTH))
        for number, (maps, ids) in enumerate(zip(inputs.small, inputs.class_ids, strict=True))
    )
    write_maps(path, items, attributes={})
    return [path]


def _write_plain(inputs: Inputs) -> list[Path]:
    paths = [inputs.folder / f"{number:04d}.npy" for number in range(IMAGES)]
    for path, maps in zip(paths, inputs.full, strict=True):
        np.save(path, maps)
    # Ours is on the disk, not in memory alone, when it is written.
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file)
    return paths


def _read(way, inputs: Inputs, *, cached: bool) -> Reading:
    for path in sorted(inputs.folder.iterdir()):
        _warm(path) if cached else _cool(path)
    started = time.perf_counter()
    some = [maps for number, maps in enumerate(way(inputs)) if number < DIFFERENT]
    return Reading(time.perf_counter() - started, some)


def _warm(path: Path) -> None:
    path.read_bytes()


def _cool(path: Path) -> None:
    """Have the system forget what it keeps of a file in memory."""
    with path.open("rb") as file:
        os.fsync(file)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _ours_at_full_size(inputs: Inputs) -> Iterator[np.ndarray]:
    with MapReader([inputs.folder / "maps.h5"]) as reader:
        for image_id in reader.image_ids:
            yield reader.read_full(image_id).maps


def _plain_at_full_size(inputs: Inputs) -> Iterator[np.ndarray]:
    for number in range(IMAGES):
        yield np.load(inputs.folder / f"{number:04d}.npy")


def _mebibytes(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 2**20


def _number_apart(ours: list[Path], plain: list[Path]) -> float:
    """Return how many images one way wrote and the other did not; reading compares the values."""
    with MapReader(ours) as reader:
        return abs(len(reader.image_ids) - len(plain))
