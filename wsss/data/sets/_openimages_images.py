"""OpenImages' files on the disk: which images there are, and what their headers say."""

import logging
import os
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from wsss.data.checks import check_image
from wsss.data.images import Header
from wsss.parallel import parallel_map
from wsss.progress import progress

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Images whose headers a process reads before it hands them over."""
MOST_BROKEN = 100
"""Broken images after which the others are not even looked at."""
_FILE_NAME = re.compile(r"[0-9a-f]{16}\.jpg")


@dataclass(frozen=True)
class ImageFiles:
    """The images of some folders, 10 bytes each: OpenImages has nine million.

    Attributes:
        folders: Where they stand.
        image_ids: (n,) uint64, ascending.
        places: The folder of each, (n,) uint16.
    """

    folders: tuple[Path, ...]
    image_ids: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.image_ids)

    def path(self, row: int) -> Path:
        """Return the file of an image, by its place in `image_ids`."""
        return self.folders[self.places[row]] / f"{int(self.image_ids[row]):016x}.jpg"

    def find(self, image_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of image ids in `image_ids`, and which of them are there."""
        if not len(self):
            return np.zeros(len(image_ids), dtype=np.int64), np.zeros(len(image_ids), dtype=bool)
        rows = np.minimum(np.searchsorted(self.image_ids, image_ids), len(self) - 1)
        return rows, self.image_ids[rows] == image_ids


def find_images(folders: Sequence[Path]) -> ImageFiles:
    """Return the images of folders: the files ImageID.jpg. Others are counted and logged.

    Raises:
        ValueError: A folder does not exist, or an image stands in two of them.
    """
    ids, places = array("Q"), array("H")
    for number, folder in enumerate(folders):
        found, others = _image_ids(folder)
        ids.extend(found)
        places.extend([number] * len(found))
        if others:
            log.warning(
                "%d files of %s are not named as OpenImages' images, 16 hexadecimal digits and "
                ".jpg, and left out",
                others,
                folder,
            )
    image_ids = np.frombuffer(ids, dtype=np.uint64)
    order = np.argsort(image_ids, kind="stable")
    files = ImageFiles(
        tuple(folders), image_ids[order], np.frombuffer(places, dtype=np.uint16)[order]
    )
    twice = np.flatnonzero(files.image_ids[1:] == files.image_ids[:-1])
    if twice.size:
        first, second = files.path(int(twice[0])), files.path(int(twice[0]) + 1)
        raise ValueError(f"one image is {first} and {second}; name a folder once, or take one away")
    return files


def _image_ids(folder: Path) -> tuple["array[int]", int]:
    """Return the ids of a folder's images, and how many other files it has."""
    found, others = array("Q"), 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _FILE_NAME.fullmatch(entry.name):
                    found.append(int(entry.name[:16], 16))
                elif not entry.name.startswith("."):
                    others += not entry.is_dir()
    except OSError as error:
        raise ValueError(
            f"folder {folder} of images cannot be read ({error.strerror}); link the images there"
        ) from None
    return found, others


def read_headers(
    files: ImageFiles,
    rows: np.ndarray,
    *,
    max_megapixels: float,
    workers: int,
    description: str,
) -> Iterator[tuple[int, Header]]:
    """Yield (row, header) of images, in order.

    An image that cannot be taken does not stop the others, of which there may be millions: it is
    logged, and after the last all are refused together.

    Args:
        files: The images.
        rows: Places of those that are wanted.
        max_megapixels: Million pixels that an image may have.
        workers: Processes that read.
        description: Of what is read, for the progress.

    Raises:
        ValueError: Headers cannot be read, or images are too large.
    """
    parts = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    jobs = ([files.path(row) for row in part.tolist()] for part in parts)
    read = parallel_map(partial(_check, max_megapixels=max_megapixels), jobs, workers=workers)
    found = (pair for part, headers in zip(parts, read, strict=True)
             for pair in zip(part.tolist(), headers, strict=True))  # fmt: skip
    broken: list[str] = []
    for row, header in progress(found, total=len(rows), description=description):
        if isinstance(header, Header):
            yield row, header
            continue
        log.warning("%s", header)
        broken.append(header)
        if len(broken) == MOST_BROKEN:
            break
    if len(broken) == 1:
        raise ValueError(broken[0])
    if broken:
        known = "the first " if len(broken) == MOST_BROKEN else ""
        raise ValueError(
            f"{known}{len(broken)} images cannot be taken, which the log lists; one of them: "
            f"{broken[0]}"
        )


def _check(paths: Sequence[Path], *, max_megapixels: float) -> list[Header | str]:
    """Return the headers of images, or why one cannot be taken."""
    found: list[Header | str] = []
    for path in paths:
        try:
            found.append(check_image(path, max_megapixels=max_megapixels))
        except ValueError as error:
            found.append(str(error))
    return found
