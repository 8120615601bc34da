"""Map files: float16 at the network's stride, compressed, against float32 at full size."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from bench.compare import Comparison, largest_difference
from bench.inputs import HEIGHT, WIDTH, photographs, resnet50_classifier
from wsss.localize.cam import localize
from wsss.store.maps import MapReader, write_maps

IMAGES = 32


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


def comparisons() -> list[Comparison]:
    """Return the bytes on disk, writing, and reading."""
    what = f"CAM of {IMAGES} photographs, 375 x 500, 1 or 2 classes each; plain: one .npy each"
    written = Comparison(
        name="Map store, writing",
        inputs=what,
        prepare=prepare,
        ours=_write_ours,
        plain=_write_plain,
        difference=_number_apart,
        tolerance=0,
        goal=1,
    )
    return [
        replace(written, name="Map store, on disk", cost=_mebibytes, unit="MiB", goal=30),
        written,
        Comparison(
            name="Map store, reading at full size",
            inputs=f"{what}. Float16 rounds by up to 2.5e-4",
            prepare=_prepare_and_write,
            ours=_read_ours,
            plain=_read_plain,
            difference=largest_difference,
            tolerance=2.5e-4,
            goal=1,
        ),
    ]


def prepare() -> Inputs:
    """Return the maps of a network."""
    class_ids = [np.array([3, 7][: 1 + number % 2]) for number in range(IMAGES)]
    small = localize(
        resnet50_classifier(),
        photographs(IMAGES),
        class_ids,
        scales=(1.0,),
        map_stride=4,
        alignment="official",
        batch_size=8,
        precision="full",
    )
    full = [np.stack([cv2.resize(one, (WIDTH, HEIGHT)) for one in maps]) for maps in small]
    return Inputs(small, full, class_ids, tempfile.TemporaryDirectory())


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
    return paths


def _read_ours(inputs: Inputs) -> list[np.ndarray]:
    with MapReader([inputs.folder / "maps.h5"]) as reader:
        return [reader.read_full(image_id).maps for image_id in reader.image_ids]


def _read_plain(inputs: Inputs) -> list[np.ndarray]:
    return [np.load(inputs.folder / f"{number:04d}.npy") for number in range(IMAGES)]


def _mebibytes(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 2**20


def _number_apart(ours: list[Path], plain: list[Path]) -> float:
    """Return how many images one way wrote and the other did not; reading compares the values."""
    with MapReader(ours) as reader:
        return abs(len(reader.image_ids) - len(plain))
