"""Images as files."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from wsss.store.atomic import atomic_path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError)


def read_image(path: Path | str) -> np.ndarray:
    """Return an image, (H, W, 3) uint8 RGB.

    Grey, palette and CMYK images are converted, an alpha channel is dropped. The pixels stay as
    they are stored: an EXIF orientation is not applied, for masks know nothing of it.

    Raises:
        ValueError: The file is missing, truncated, no image, or has more than 8 bits per channel.
    """
    return _read(path, upright=False)


def read_upright_image(path: Path | str) -> np.ndarray:
    """Return an image as `read_image`, turned and mirrored as its EXIF orientation says.

    Raises:
        ValueError: As in `read_image`.
    """
    return _read(path, upright=True)


def _read(path: Path | str, *, upright: bool) -> np.ndarray:
    try:
        # Whole bytes: given a path, PIL resolves every link on it and reads in small pieces.
        with Image.open(BytesIO(Path(path).read_bytes())) as image:
            mode = image.mode
            # A deep image would be clipped to white by the conversion.
            if not mode.startswith(("I", "F")):
                if upright:
                    ImageOps.exif_transpose(image, in_place=True)
                return np.array(image if mode == "RGB" else image.convert("RGB"))
    except FileNotFoundError:
        raise ValueError(
            f"image {path} does not exist; link the data or remake the index"
        ) from None
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None
    raise ValueError(f"image {path} has mode {mode}; convert it to 8 bits per channel")


def _unreadable(path: Path | str, error: Exception) -> ValueError:
    # PIL's own sentence names the bytes in memory.
    reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
    return ValueError(
        f"image {path} cannot be read ({reason}); replace it or take it out of the data set"
    )


def image_size(path: Path | str) -> tuple[int, int]:
    """Return an image's (height, width) in pixels, reading no more than the file's header.

    Raises:
        ValueError: The file is missing or no image.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except FileNotFoundError:
        raise ValueError(f"image {path} does not exist; link the data under data/") from None
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


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
        image: (H, W, 3) uint8 RGB.
        quality: 1 to 95; the colours have half the resolution.

    Raises:
        ValueError: The array is no such image, or the quality is out of range.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"image for {path}: expected (H, W, 3) uint8, got {image.shape} {image.dtype}"
        )
    if not 1 <= quality <= 95:
        raise ValueError(f"JPEG quality {quality} is not in 1 .. 95")
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, format="JPEG", quality=quality)
