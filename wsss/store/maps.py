"""Localization maps of many images in one HDF5 file per shard.

Maps are kept as float16 at the network's stride, for an image's own classes only, and are
upsampled on reading. The values of all images stand one after the other in one compressed array,
so that small images cost no HDF5 object each.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import h5py
import numpy as np

from wsss.store.hdf5 import (
    CHUNK_BYTES,
    bytes_to_text,
    create_dataset,
    create_hdf5,
    open_hdf5,
    readable,
    text_to_bytes,
)

KIND = "maps"
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Maps:
    """The maps of one image.

    `class_ids` (n,) int64; `maps` (n, h, w) float32, >= 0; `image_size` (H, W) in pixels.
    """

    class_ids: np.ndarray
    maps: np.ndarray
    image_size: tuple[int, int]


@dataclass(frozen=True)
class _Place:
    """Where an image's maps stand in a file."""

    path: Path
    first_value: int
    shape: tuple[int, int, int]
    image_size: tuple[int, int]
    class_ids: np.ndarray


def write_maps(
    path: Path | str,
    items: Iterable[tuple[str, np.ndarray, np.ndarray, tuple[int, int]]],
    *,
    attributes: Mapping[str, Any],
) -> None:
    """Write localization maps, atomically; equal maps give equal bytes.

    Only about one chunk is held in memory, however many images `items` yields.

    Args:
        path: Where to.
        items: Per image its id, class ids (n,), maps (n, h, w), and size (H, W) in pixels. The
            cells of a map are equal shares of the image (align_corners=False); n may be 0.
        attributes: Anything that JSON can hold (map stride, options, code hash, random seed).

    Raises:
        ValueError: An id repeats; maps are negative, not finite, beyond float16, larger than the
            image, or not one per class.
    """
    image_ids: dict[str, None] = {}
    class_ids: list[np.ndarray] = []
    shapes: list[tuple[int, ...]] = []
    waiting: list[np.ndarray] = []
    with create_hdf5(path, KIND, attributes) as file:
        values = create_dataset(file, "values", np.zeros(0, dtype=np.float16))
        for image_id, ids, maps, image_size in items:
            ids, maps = np.asarray(ids, dtype=np.int64), np.asarray(maps)
            _check(image_id, ids, maps, image_size)
            if image_id in image_ids:
                raise ValueError(f"maps for {path}: image {image_id} occurs twice; write it once")
            image_ids[image_id] = None
            class_ids.append(ids)
            shapes.append((*maps.shape, *image_size))
            waiting.append(maps.astype(np.float16).ravel())
            if sum(part.nbytes for part in waiting) >= 8 * CHUNK_BYTES:
                _append(values, waiting)
                file.raise_failure()
        _append(values, waiting)
        ids_flat = np.concatenate([np.zeros(0, dtype=np.int64), *class_ids])
        create_dataset(file, "image_ids", text_to_bytes(np.array(list(image_ids), dtype=np.str_)))
        create_dataset(file, "class_ids", ids_flat)
        create_dataset(file, "shapes", np.array(shapes, dtype=np.int64).reshape(-1, 5))


def _append(values: h5py.Dataset, waiting: list[np.ndarray]) -> None:
    """Move the waiting values to the end of the file's."""
    if waiting:
        block = np.concatenate(waiting)
        values.resize(len(values) + len(block), axis=0)
        values[len(values) - len(block) :] = block
        waiting.clear()


def _check(image_id: str, ids: np.ndarray, maps: np.ndarray, image_size: tuple[int, int]) -> None:
    if maps.ndim != 3 or ids.shape != maps.shape[:1]:
        raise ValueError(
            f"maps of image {image_id}: expected one (h, w) map per class, got maps "
            f"{maps.shape} for {ids.shape} classes; pass (n,) classes with (n, h, w) maps"
        )
    height, width = image_size
    if maps.shape[1] > height or maps.shape[2] > width:
        raise ValueError(
            f"maps of image {image_id}: {maps.shape[1:]} cells exceed the image's "
            f"{(height, width)} pixels; store maps at the network's stride"
        )
    if maps.size and not (maps.min() >= 0 and maps.max() <= LARGEST):
        raise ValueError(
            f"maps of image {image_id}: values must be in 0 .. {LARGEST:.0f} and finite, got "
            f"{maps.min()} .. {maps.max()}; divide each map by its maximum first"
        )


class MapReader:
    """Reads the maps of one or several files; a context manager.

    Files open at the first read from them, and stay open; make one reader per process.

    Attributes:
        image_ids: Of all files, in their order.
        attributes: Those that all files agree on.
    """

    def __init__(self, paths: Sequence[Path | str]) -> None:
        """Read where each image's maps stand.

        Raises:
            ValueError: A file is missing, damaged, not complete or of another kind, or two files
                hold the same image.
        """
        self._places: dict[str, _Place] = {}
        self._values: dict[Path, h5py.Dataset] = {}
        per_file = [self._index(Path(path)) for path in paths]
        self.attributes: dict[str, Any] = {
            name: value
            for name, value in (per_file[0] if per_file else {}).items()
            if all(name in other and other[name] == value for other in per_file)
        }
        self.image_ids = tuple(self._places)

    def _index(self, path: Path) -> dict[str, Any]:
        """Note the places of a file's images and return its attributes."""
        file, attributes = open_hdf5(path, KIND)
        with file, readable(path):
            image_ids = bytes_to_text(file["image_ids"][()])
            class_ids, shapes = file["class_ids"][()], file["shapes"][()]
        first_value = first_class = 0
        for image_id, (n, h, w, height, width) in zip(
            image_ids.tolist(), shapes.tolist(), strict=True
        ):
            if image_id in self._places:
                raise ValueError(
                    f"maps of image {image_id} stand in {self._places[image_id].path} and in "
                    f"{path}; delete the wrong file"
                )
            ids = class_ids[first_class : first_class + n]
            self._places[image_id] = _Place(path, first_value, (n, h, w), (height, width), ids)
            first_class, first_value = first_class + n, first_value + n * h * w
        return attributes

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files."""
        for values in self._values.values():
            values.file.close()
        self._values.clear()

    def read(self, image_id: str) -> Maps:
        """Return an image's maps at the stored stride.

        Raises:
            KeyError: No file holds the image.
            ValueError: The file is damaged.
        """
        if image_id not in self._places:
            raise KeyError(f"no maps of image {image_id} among the {len(self._places)} images read")
        place = self._places[image_id]
        last_value = place.first_value + int(np.prod(place.shape))
        with readable(place.path):
            # The data set stays open with its cache: neighbouring images share chunks.
            if place.path not in self._values:
                self._values[place.path] = open_hdf5(place.path, KIND)[0]["values"]
            values = self._values[place.path][place.first_value : last_value]
        return Maps(
            place.class_ids, values.astype(np.float32).reshape(place.shape), place.image_size
        )

    def read_full(self, image_id: str) -> Maps:
        """Return an image's maps upsampled to its size, (n, H, W).

        Bilinear between the centres of the cells, constant beyond the outermost ones: what
        torch calls align_corners=False.

        Raises:
            KeyError: No file holds the image.
            ValueError: The file is damaged.
        """
        stored = self.read(image_id)
        height, width = stored.image_size
        full = np.empty((len(stored.maps), height, width), dtype=np.float32)
        for map_small, map_full in zip(stored.maps, full, strict=True):
            cv2.resize(map_small, (width, height), dst=map_full, interpolation=cv2.INTER_LINEAR)
        return Maps(stored.class_ids, full, stored.image_size)
