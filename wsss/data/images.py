"""Images as files."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps

from wsss.store.atomic import atomic_path
from wsss.store.masks import UNREADABLE, why_unreadable

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF")
MOST_PIXELS = 2**27
"""Pixels that an image may have (400 MB decoded); a header that says more is no photograph's."""
LONGEST_SIDE = 65_500
"""Pixels that a side of an image may have: as many as a JPEG can."""
_PNG = b"\x89PNG\r\n"
# Its warnings are about sizes, which are checked here, and tags that nothing here reads.
warnings.filterwarnings("ignore", module=r"PIL\.")


class Header(NamedTuple):
    """What stands before the pixels of an image file.

    `size` is (height, width) in pixels, as stored; `file_bytes` the size of the file; `turned` says
    that an EXIF orientation, which `read_image` does not apply, turns or mirrors the image.
    """

    size: tuple[int, int]
    file_bytes: int
    turned: bool


def read_image(path: Path | str) -> np.ndarray:
    """Return an image, (H, W, 3) uint8 RGB.

    Grey, palette and CMYK images are converted, an alpha channel is dropped. The pixels stay as
    they are stored: an EXIF orientation is not applied, for masks know nothing of it (but PIL
    applies that of a TIFF file). Of a JPEG with several pictures (MPO: the second eye, a depth map)
    the first is the image.

    Raises:
        ValueError: The file is missing, truncated, no image, animated or of several pages, too
            large, or has more than 8 bits per channel.
    """
    return _read(path, upright=False)


def read_upright_image(path: Path | str) -> np.ndarray:
    """Return an image as `read_image`, turned and mirrored as its EXIF orientation says.

    Raises:
        ValueError: As in `read_image`.
    """
    return _read(path, upright=True)


def _read(path: Path | str, *, upright: bool) -> np.ndarray:
    with _sentences(path):
        # Whole bytes: given a path, PIL resolves every link on it and reads in small pieces.
        content = Path(path).read_bytes()
        if content.startswith(_PNG):
            # Compares the file's own checksums, which reading does not.
            with Image.open(BytesIO(content), formats=["PNG"]) as image:
                image.verify()
        with _opened(path, BytesIO(content)) as image:
            if upright and _is_turned(image):
                ImageOps.exif_transpose(image, in_place=True)
            if image.mode == "P" and "transparency" in image.info:
                # PIL warns where it loses the transparency of a palette.
                image = image.convert("RGBA")
            pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"))
    return pixels


class _RefusedError(ValueError):
    """An image that could be read, but not as one meant it; the sentence is complete."""


@contextmanager
def _sentences(path: Path | str) -> Iterator[None]:
    """Turn what PIL and the system raise into one sentence.

    Raises:
        ValueError: The block could not read the image.
    """
    try:
        yield
    except _RefusedError:
        raise
    except FileNotFoundError:
        raise ValueError(
            f"image {path} does not exist, or is a link to nothing; link the data, or take it "
            "out of the data set"
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(_too_large(path, "far more")) from None
    except UNREADABLE as error:
        reason = why_unreadable(error, "an image")
        raise ValueError(
            f"image {path} cannot be read ({reason}); replace it by a whole "
            f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, or take it out of the data set"
        ) from None


def _too_large(path: Path | str, found: str) -> str:
    return (
        f"image {path} has {found} pixels, but {MOST_PIXELS:,} and {LONGEST_SIDE:,} on a side are "
        "the most that is read; shrink it, or replace it if it is broken"
    )


@contextmanager
def _opened(path: Path | str, file: IO[bytes]) -> Iterator[Image.Image]:
    """Yield an image whose header is read and checked, its pixels not yet decoded."""
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS or max(image.size) > LONGEST_SIDE:
            raise _RefusedError(_too_large(path, f"{image.width} x {image.height}"))
        # A deep image would be clipped to white by the conversion, or lose its lower bits.
        if image.mode.startswith(("I", "F")) or _has_deep_channels(image):
            raise _RefusedError(
                f"image {path} has mode {image.mode} of more than 8 bits; convert it to 8 bits "
                "per channel"
            )
        if getattr(image, "is_animated", False) and image.format != "MPO":
            raise _RefusedError(
                f"image {path} holds several pictures (an animation, or pages); save the one that "
                "is meant as a file of its own"
            )
        yield image


def _has_deep_channels(image: Image.Image) -> bool:
    # PIL's mode is RGB all the same; the 16 bits of a BMP file are those of all channels.
    return ";16" in repr(getattr(image, "tile", "")) and image.format != "BMP"


def _is_turned(image: Image.Image) -> bool:
    # PIL has turned a TIFF already, and decodes a PNG to look for tags behind the pixels.
    if "exif" not in image.info or image.format == "TIFF":
        return False
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
    except UNREADABLE:
        # Broken tags of a photograph that is whole.
        return False


def read_header(path: Path | str) -> Header:
    """Return what an image file's header says, without decoding the pixels.

    Raises:
        ValueError: As in `read_image`, but for damage behind the header.
    """
    with _sentences(path), Path(path).open("rb") as file, _opened(path, file) as image:
        file_bytes = Path(path).stat().st_size
        header = Header((image.height, image.width), file_bytes, _is_turned(image))
    return header


def image_size(path: Path | str) -> tuple[int, int]:
    """Return an image's (height, width) in pixels, reading no more than the file's header.

    Raises:
        ValueError: As in `read_header`.
    """
    return read_header(path).size


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name.

    Raises:
        ValueError: The folder does not exist.
    """
    if not folder.is_dir():
        raise ValueError(f"folder {folder} does not exist; link the data set there")
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def write_jpeg(path: Path | str, image: np.ndarray, *, quality: int) -> None:
    """Write an image as JPEG, atomically.

    Args:
        path: Where to.
        image: (H, W, 3) uint8 RGB, of at most 65,500 pixels a side.
        quality: 1 to 95; the colours have half the resolution.

    Raises:
        ValueError: The array is no such image, or the quality is out of range.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"image for {path}: expected (H, W, 3) uint8, got {image.shape} {image.dtype}"
        )
    if max(image.shape) > LONGEST_SIDE:
        raise ValueError(
            f"image for {path}: {image.shape[:2]} pixels do not fit a JPEG, whose sides have at "
            f"most {LONGEST_SIDE:,}; shrink it"
        )
    if not 1 <= quality <= 95:
        raise ValueError(f"JPEG quality {quality} is not in 1 .. 95")
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, format="JPEG", quality=quality)
