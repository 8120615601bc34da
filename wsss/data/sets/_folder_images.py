"""The image files of a folder and of the folders in it, and how a table may name them."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from wsss.data.images import SUFFIXES
from wsss.data.records import shown

JOINT = "__"


class FolderImages:
    """The images of a folder by their ids.

    The id is the path within the folder without suffix, its parts joined by two underscores:
    birds/2024/a.jpg is birds__2024__a. Hidden files and folders do not count.

    Args:
        folder: Where the images stand, or folders of them; links are followed.
        leave_out: A folder whose files are no images (the masks), or None.

    Attributes:
        folder: Where the images stand.
        paths: File by id, in the order of the ids.

    Raises:
        ValueError: The folder does not exist or has no image, or two images have one id.
    """

    def __init__(self, folder: Path, *, leave_out: Path | None) -> None:
        self.folder = folder
        self.paths: dict[str, Path] = {}
        self._whole: dict[tuple[str, ...], str] = {}
        self._ends: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for path in _image_files(folder, leave_out):
            parts = path.relative_to(folder).with_suffix("").parts
            image_id = JOINT.join(parts)
            if image_id in self.paths:
                raise ValueError(
                    f"images {self.paths[image_id]} and {path} would both be {image_id}; rename "
                    "one, or take it away"
                )
            self.paths[image_id] = path
            same = tuple(map(_same, parts))
            self._whole[same] = image_id
            for start in range(1, len(same)):
                self._ends[same[start:]].append(image_id)
        if not self.paths:
            raise ValueError(f"no image stands in folder {folder}; put the images there")
        self.paths = dict(sorted(self.paths.items()))

    def find(self, name: str, *, where: str) -> str | None:
        """Return the id of the image that a table means, None where there is none.

        It may be named by its id, or by its path with or without suffix, with more folders before
        it (as on another machine) or fewer, as long as it is the only one.

        Raises:
            ValueError: It may be several images; the sentence starts with `where`.
        """
        named = _without_suffix(name)
        if named in self.paths:
            return named
        parts = tuple(
            _same(part) for part in named.replace("\\", "/").split("/") if part not in ("", ".")
        )
        if parts not in self._whole and (fits := self._ends.get(parts)):
            if len(fits) > 1:
                raise ValueError(
                    f"{where} names the image {shown(name)}, which may be {self.paths[fits[0]]} or "
                    f"{self.paths[fits[1]]}; write the folder, too"
                )
            return fits[0]
        whole = (self._whole.get(parts[start:]) for start in range(len(parts)))
        return next(filter(None, whole), None)


def _same(part: str) -> str:
    # Some file systems take letters with accents apart.
    return unicodedata.normalize("NFC", part)


def _without_suffix(name: str) -> str:
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name


def _image_files(folder: Path, leave_out: Path | None) -> Iterator[Path]:
    """Yield the image files below a folder, each folder once, however it is linked."""
    if not folder.is_dir():
        raise ValueError(f"folder {folder} does not exist; link the images there")
    visited = {os.path.realpath(leave_out)} if leave_out else set()
    for name, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(inner for inner in folders if not inner.startswith("."))
        if (real := os.path.realpath(name)) in visited:
            folders.clear()
            continue
        visited.add(real)
        for file in sorted(files):
            if Path(file).suffix.lower() in SUFFIXES and not file.startswith("."):
                yield Path(name, file)
