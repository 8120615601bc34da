"""Masks as palette PNG files, in the colours of PASCAL VOC."""

import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from wsss.store.atomic import atomic_path


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
        ValueError: The file is missing, truncated, not a PNG, or holds colours and no indices.
    """
    try:
        content = io.BytesIO(Path(path).read_bytes())
        # Compares the file's own checksums, which reading does not.
        with Image.open(content, formats=["PNG"]) as image:
            image.verify()
        with Image.open(content, formats=["PNG"]) as image:
            mode = image.mode
            mask = np.array(image) if mode in ("P", "L") else None
    except FileNotFoundError:
        raise ValueError(f"mask {path} does not exist; run the step that makes it again") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"mask {path} cannot be read as PNG ({error}); delete it and make it again"
        ) from None
    if mask is None:
        raise ValueError(
            f"mask {path} has mode {mode}, not class indices; "
            "convert its colours to indices (8-bit palette or grey PNG)"
        )
    return mask
