"""Masks as palette PNG files, in the colours of PASCAL VOC."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from wsss.store.atomic import atomic_path

IGNORE_INDEX = 255
# PIL meets damaged bytes with whatever error its current step has.
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, AssertionError, RuntimeError, struct.error, zlib.error),
)


@cache
def _palette_bytes() -> bytes:
    return voc_palette().tobytes()


def voc_palette() -> np.ndarray:
    """Return the VOC colour map, (256, 3) uint8 RGB; row 255 is VOC's border colour.

    The bits 0, 3, 6 of an index are the highest bits of its red, those beside them (1, 4, 7) of
    its green, (2, 5) of its blue.
    """
    indices = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for channel in range(3):
        for level in range(3):
            bit = (indices >> (3 * level + channel)) & 1
            palette[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return palette


def write_mask(path: Path | str, mask: np.ndarray) -> None:
    """Write a mask as palette PNG, atomically; equal masks give equal bytes.

    Args:
        path: Where to; ends with .png.
        mask: (H, W) uint8, 0 background, class k as k + 1, 255 ignored.

    Raises:
        ValueError: The mask is not two-dimensional uint8 or is empty.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.size == 0:
        raise ValueError(
            f"mask for {path}: expected (H, W) uint8, got {mask.shape} {mask.dtype}; "
            "convert it before writing"
        )
    image = Image.fromarray(mask)
    image.putpalette(_palette_bytes())
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG")


def read_mask(path: Path | str) -> np.ndarray:
    """Return a mask, (H, W) uint8, from a PNG that holds class indices (palette or 8-bit grey).

    Raises:
        ValueError: The file is missing, truncated, damaged, not a PNG, animated, or holds colours
            and no indices.
    """
    mask, mode = read_levels(path, noun="mask")
    if mask is None:
        raise ValueError(
            f"mask {path} has mode {mode}, not class indices; "
            "convert its colours to indices (8-bit palette or grey PNG)"
        )
    return mask


def read_levels(path: Path | str, *, noun: str) -> tuple[np.ndarray | None, str]:
    """Return what an 8-bit grey or palette PNG holds, (H, W) uint8, and "".

    Of another PNG, None and what it is.

    Args:
        path: The file.
        noun: What it is to a reader of the sentences.

    Raises:
        ValueError: The file is missing, truncated, damaged or not a PNG.
    """
    try:
        content = io.BytesIO(Path(path).read_bytes())
        # Compares the file's own checksums, which reading does not.
        with Image.open(content, formats=["PNG"]) as image:
            image.verify()
        with Image.open(content, formats=["PNG"]) as image:
            mode = _index_mode(image)
            levels = None if mode else np.array(image)
    except FileNotFoundError:
        raise ValueError(
            f"{noun} {path} does not exist; run the step that makes it again"
        ) from None
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        reason = why_unreadable(error, "a PNG")
        raise ValueError(
            f"{noun} {path} cannot be read as PNG ({reason}); delete it and make it again"
        ) from None
    return levels, mode


def _index_mode(image: Image.Image) -> str:
    """Return "" for an image of indices, else what it is."""
    if getattr(image, "is_animated", False):
        return "of an animation"
    # PIL stretches grey of fewer than 8 bits to 255.
    stored = [tile[3] for tile in getattr(image, "tile", [])]
    if image.mode == "L" and stored != ["L"]:
        return ", ".join(map(str, stored))
    return "" if image.mode in ("P", "L") else image.mode


def why_unreadable(error: Exception, kind: str) -> str:
    """Return in one line why PIL could not read a file as `kind`."""
    # PIL's own sentence names the bytes in memory.
    if isinstance(error, UnidentifiedImageError):
        return f"not {kind}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())


def read_class_mask(path: Path | str, *, num_classes: int) -> np.ndarray:
    """Return a mask as `read_mask`, whose values are all below `num_classes`, or 255.

    Args:
        path: A ground truth mask.
        num_classes: Classes with background.

    Raises:
        ValueError: As in `read_mask`, or a value is no class.
    """
    mask = read_mask(path)
    wrong = mask[(mask >= num_classes) & (mask != IGNORE_INDEX)]
    if wrong.size:
        raise ValueError(
            f"mask {path} holds the value {wrong.max()}, but {num_classes - 1} classes take 1 to "
            f"{num_classes - 1} (0 is background, 255 ignored); name all classes that the masks "
            "were drawn for, in their order, or correct the mask"
        )
    return mask
