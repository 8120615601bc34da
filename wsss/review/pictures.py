"""Pictures of candidate images for the page: small ones and maps made once, kept in a folder.

What a browser gets is always decoded and encoded here, never the bytes of the file itself: it came
from anywhere, and may be a web page by another name.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore, Lock

import numpy as np
from PIL import Image

from wsss.data.images import read_header, read_image
from wsss.disk import WriteError
from wsss.store.atomic import atomic_path
from wsss.store.masks import UNREADABLE

log = logging.getLogger(__name__)
Maps = Callable[[Path, int], np.ndarray]
THUMBNAIL_SIDE = 320
PICTURE_SIDE = 1600
THUMBNAIL_QUALITY, PICTURE_QUALITY = 80, 90
PICTURES_IN_MEMORY = 8
DECODERS = min(4, os.cpu_count() or 1)
"""Images decoded at once, of all threads."""
LARGE = 2**24
"""Pixels from which on images are decoded one at a time: each may take a gigabyte."""
OPACITY = 0.8
"""Of a map where it is 1; it is proportional to the map, so that 0 leaves the picture as it is."""
# Colours of a map, sizes and qualities: with another number everything is made anew.
_RECIPE = "1"
_WHOLE = {
    ".jpg": (b"\xff\xd8\xff", b"\xff\xd9"),
    ".png": (b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"),
}


class Pictures:
    """Pictures of numbered images, to be asked for by any number of threads.

    A picture belongs to path, size and time of its file: that of a replaced file is made anew. Of a
    file that is no image the sentence is remembered instead. Where the folder cannot be written,
    pictures are made each time; one warning says so.

    Args:
        folder: Keeps thumbnails and maps; made when the first is written.
        paths: The image files, by number.
        maps: Returns the localization map of an image file for a class id, (h, w) float in [0, 1];
            None if nobody can. It is called by one thread at a time.
        map_key: Whatever else the maps depend on, such as the classifier's checksum; a few letters
            and digits.
    """

    def __init__(
        self, folder: Path, paths: Sequence[Path], *, maps: Maps | None, map_key: str
    ) -> None:
        self._folder = folder
        self._paths = paths
        self._maps = maps
        self.map_key = map_key
        self._refused: dict[str, str] = {}
        self._warned = False
        self._warning = Lock()
        self._mapping = Lock()
        # One for each two-digit beginning of a key: threads with one key in mind share a lock.
        self._making = [Lock() for _ in range(256)]
        self._decoders = BoundedSemaphore(DECODERS)
        self._large = Lock()
        self._latest = lru_cache(maxsize=PICTURES_IN_MEMORY)(self._picture)

    @property
    def has_maps(self) -> bool:
        """Whether there are maps of the images."""
        return self._maps is not None

    def thumbnail(self, number: int) -> bytes:
        """Return an image as JPEG of at most 320 pixels a side, never enlarged, not turned.

        Raises:
            LookupError: There is no image of that number.
            ValueError: Its file cannot be read.
        """
        path = self._path(number)
        key = _key(path, "thumbnail")

        def make() -> bytes:
            return _jpeg(self._shrunk(path, THUMBNAIL_SIDE), THUMBNAIL_QUALITY)

        file = self._folder / "thumbnails" / key[:2] / f"{key}.jpg"
        return self._kept(file, key, self._making[int(key[:2], 16)], make)

    def picture(self, number: int) -> bytes:
        """Return an image as JPEG of at most 1600 pixels a side, never enlarged, not turned.

        Raises:
            LookupError: There is no image of that number.
            ValueError: Its file cannot be read.
        """
        path = self._path(number)
        return self._latest(path, _key(path, "picture"))

    def map_picture(self, class_id: int, number: int) -> bytes:
        """Return the map of an image for a class as PNG, of the map's size, in colours.

        Raises:
            LookupError: There is no image of that number, or there are no maps.
            ValueError: The file cannot be read, or there is no map of it.
        """
        path, maps = self._path(number), self._maps
        if maps is None:
            raise LookupError("no classifier can be asked for maps here; do without")
        key = _key(path, "map", str(class_id), self.map_key)

        def make() -> bytes:
            return _png(_coloured(maps(path, class_id), f"class {class_id} of image {path}"))

        file = self._folder / "maps" / key[:2] / f"{key}.png"
        return self._kept(file, key, self._mapping, make)

    def _path(self, number: int) -> Path:
        if not 0 <= number < len(self._paths):
            raise LookupError(
                f"there is no image {number}; images are numbered 0 .. {len(self._paths) - 1}"
            )
        return self._paths[number]

    def _picture(self, path: Path, key: str) -> bytes:
        return self._made(key, lambda: _jpeg(self._shrunk(path, PICTURE_SIDE), PICTURE_QUALITY))

    def _kept(self, file: Path, key: str, lock: Lock, make: Callable[[], bytes]) -> bytes:
        content = _read_whole(file)
        if content is None:
            with lock:
                # Another thread may have made it while this one waited.
                content = _read_whole(file)
                if content is None:
                    content = self._made(key, make)
                    self._keep(file, content)
        return content

    def _made(self, key: str, make: Callable[[], bytes]) -> bytes:
        if key in self._refused:
            raise ValueError(self._refused[key])
        try:
            return make()
        except ValueError as error:
            # What the system refused (a disk of the network, too many open files) may pass.
            if not getattr(error.__context__, "errno", None):
                self._refused[key] = str(error)
            raise

    def _keep(self, file: Path, content: bytes) -> None:
        try:
            with atomic_path(file) as temporary:
                temporary.write_bytes(content)
        except (WriteError, OSError) as error:
            with self._warning:
                first, self._warned = not self._warned, True
            if first:
                log.warning("Pictures are not kept, but made each time: %s", error)

    def _shrunk(self, path: Path, longest_side: int) -> Image.Image:
        height, width = read_header(path).size
        with self._large if height * width > LARGE else nullcontext(), self._decoders:
            image = _drafted(path, longest_side) or Image.fromarray(read_image(path))
            image.thumbnail((longest_side, longest_side))
        return image


def _key(path: Path, *parts: str) -> str:
    """Return a name for what is made of a file, in hexadecimal digits.

    Raises:
        ValueError: The file does not exist.
    """
    try:
        stamp = path.stat()
    except OSError:
        # It has a sentence for every reason.
        read_header(path)
        raise
    parts = (_RECIPE, *parts, str(stamp.st_size), str(stamp.st_mtime_ns))
    return hashlib.sha256(b"\0".join([*map(str.encode, parts), os.fsencode(path)])).hexdigest()[:32]


def _drafted(path: Path, longest_side: int) -> Image.Image | None:
    """Return a JPEG decoded at 1/2, 1/4 or 1/8 of its size, None where that does not help.

    It takes a fraction of the time. The header has been checked by `read_header`.
    """
    try:
        with Image.open(path, formats=["JPEG", "MPO"]) as image:
            # Half as large again as what is wanted: enough for the resampling that follows.
            least = 1.5 * longest_side / max(image.size)
            if least > 1 / 2:
                return None
            image.draft(
                "RGB", (max(1, int(image.width * least)), max(1, int(image.height * least)))
            )
            return image.convert("RGB")
    except UNREADABLE:
        # No JPEG, or a damaged one: `read_image` reads it, or says what is wrong with it.
        return None


def _jpeg(image: Image.Image, quality: int) -> bytes:
    # PIL would write the comment of the file along, whatever it says.
    image.info.clear()
    encoded = BytesIO()
    image.save(encoded, format="JPEG", quality=quality)
    return encoded.getvalue()


def _png(pixels: np.ndarray) -> bytes:
    encoded = BytesIO()
    Image.fromarray(pixels).save(encoded, format="PNG")
    return encoded.getvalue()


def _coloured(values: np.ndarray, what: str) -> np.ndarray:
    """Return (h, w, 4) uint8 RGBA of a map; what is not a number is transparent.

    Raises:
        ValueError: The array is no map.
    """
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"map for {what}: expected (h, w), got {values.shape}; report this")
    share = np.clip(np.nan_to_num(values, nan=0.0), 0.0, 1.0)
    return _colours()[np.rint(255 * share).astype(np.uint8)]


@cache
def _colours() -> np.ndarray:
    # Takes a moment to import, and most pages are shown without maps.
    from matplotlib import colormaps

    colours = np.array(colormaps["inferno"](np.arange(256), bytes=True))
    colours[:, 3] = np.rint(OPACITY * np.arange(256))
    return colours


def _read_whole(file: Path) -> bytes | None:
    """Return a kept picture, None if it is missing, cannot be read, or is cut off."""
    start, end = _WHOLE[file.suffix]
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return content if content.startswith(start) and content.endswith(end) else None
