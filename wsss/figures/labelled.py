"""An image under the colours of its classes, with their names: a picture that explains itself."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wsss.figures.overlays import outline

SMALLEST_WIDTH = 320
LARGEST_HEIGHT = 4096
BAND = 256
OPACITY = 0.55
PAPER, INK = (255, 255, 255), (30, 30, 30)


def labelled_picture(
    image: np.ndarray, mask: np.ndarray, classes: Sequence[str], palette: np.ndarray
) -> np.ndarray:
    """Return the image with coloured and outlined classes over a strip with their names.

    An image narrower than 320 pixels is enlarged by a whole number, so that the names fit, unless
    it would get higher than 4096.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8, 0 background, class k as k + 1.
        classes: Foreground class names.
        palette: (256, 3) uint8.

    Returns:
        (H', W', 3) uint8.

    Raises:
        ValueError: Image and mask differ in size.
    """
    height, width = image.shape[:2]
    factor = max(1, min(-(-SMALLEST_WIDTH // width), LARGEST_HEIGHT // height))
    image, mask = (array.repeat(factor, 0).repeat(factor, 1) for array in (image, mask))
    found = [int(value) for value in np.unique(mask) if 0 < value <= len(classes)]
    picture = image.copy()
    # In bands: as floats, a large photograph would take gigabytes.
    for top in range(0, len(image), BAND):
        rows = slice(top, top + BAND)
        coloured = (1 - OPACITY) * image[rows] + OPACITY * palette[mask[rows]]
        np.copyto(
            picture[rows], coloured.round(), where=(mask[rows] > 0)[..., None], casting="unsafe"
        )
    for value in found:
        picture = outline(picture, mask == value, PAPER)
    entries = [(classes[value - 1], tuple(map(int, palette[value]))) for value in found]
    strip = _strip(entries or [("background only", PAPER)], image.shape[1])
    return np.concatenate([picture, strip])


def _strip(entries: Sequence[tuple[str, tuple[int, ...]]], width: int) -> np.ndarray:
    """Return colour patches with names in as many lines as they need."""
    size = max(13, width // 45)
    font, gap, line = _font(size), size // 2, round(1.7 * size)
    places, x, y = [], gap, 0
    for name, _ in entries:
        needed = round(font.getlength(name)) + 2 * size + gap
        if x > gap and x + needed > width:
            x, y = gap, y + line
        places.append((x, y))
        x += needed
    strip = Image.new("RGB", (width, y + line), PAPER)
    draw = ImageDraw.Draw(strip)
    for (name, colour), (left, top) in zip(entries, places, strict=True):
        upper = top + (line - size) // 2
        draw.rectangle((left, upper, left + size, upper + size), fill=colour, outline=INK)
        draw.text((left + 1.5 * size, top + line / 2), name, fill=INK, font=font, anchor="lm")
    return np.asarray(strip)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), size)
