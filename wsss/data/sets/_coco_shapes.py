"""The pixels of COCO's objects, from polygons and run lengths."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as rle_tools


def packed(segmentation: Any) -> Any:
    """Return a segmentation whose lists of numbers are arrays: a quarter of the memory.

    What holds anything but numbers stays as it is, for `object_pixels` to refuse.
    """
    try:
        if isinstance(segmentation, list):
            return [array("d", polygon) for polygon in segmentation]
        if isinstance(segmentation, dict) and isinstance(segmentation.get("counts"), list):
            return {**segmentation, "counts": array("q", segmentation["counts"])}
    except (TypeError, ValueError, OverflowError):
        pass
    return segmentation


def object_pixels(segmentation: Any, size: tuple[int, int]) -> np.ndarray:
    """Return an object's pixels, (H, W) bool, from polygons or from either form of run lengths.

    Everything is checked first: pycocotools writes beyond its memory where coordinates or lengths
    are not those of the image.

    Args:
        segmentation: Of an annotation, packed or not.
        size: Height and width of the image, pixels.

    Raises:
        ValueError: The segmentation has another size than the image, or no known form.
    """
    if isinstance(segmentation, list):
        return _filled(segmentation, size)
    if not isinstance(segmentation, dict) or not {"size", "counts"} <= set(segmentation):
        raise ValueError("neither a list of polygons nor run lengths with size and counts")
    if segmentation["size"] != list(size):
        found = str(segmentation["size"])[:40].replace("[", "(").replace("]", ")")
        raise ValueError(f"a mask of {found}, but the image is {size}")
    return _unrolled(segmentation["counts"], size)


def _filled(polygons: Sequence[Any], size: tuple[int, int]) -> np.ndarray:
    """Return the pixels in any of the polygons [x, y, x, y, ...]."""
    checked = [_checked_polygon(polygon, size) for polygon in polygons]
    if not checked:
        raise ValueError("no polygon")
    pixels: np.ndarray = rle_tools.decode(rle_tools.merge(rle_tools.frPyObjects(checked, *size)))
    return pixels.astype(bool)


def _checked_polygon(polygon: Any, size: tuple[int, int]) -> list[float]:
    if not isinstance(polygon, list | array) or any(isinstance(x, bool) for x in polygon):
        raise ValueError("a polygon that is no list of numbers")
    if not all(isinstance(x, int | float) for x in polygon):
        raise ValueError("a polygon that is no list of numbers")
    # pycocotools would take four numbers for a box.
    if len(polygon) < 6 or len(polygon) % 2:
        raise ValueError("a polygon needs at least three points")
    # Not finite, or so far away that it belongs to another image.
    limit = 2 * max(size)
    if not all(-limit <= x <= limit for x in polygon):
        raise ValueError("a polygon far outside of the image")
    return [float(x) for x in polygon]


def _unrolled(counts: Any, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels of lengths, first of background, that run down the columns."""
    lengths = _uncompressed(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list | array) or not all(type(n) is int and n >= 0 for n in lengths):
        raise ValueError("run lengths that are no whole numbers from 0 on")
    height, width = size
    if sum(lengths) != height * width:
        raise ValueError(f"run lengths of {sum(lengths)} pixels for an image of {height * width}")
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(width, height).T


def _uncompressed(text: str) -> list[int]:
    """Return the run lengths of COCO's text form.

    Each is a number in groups of five bits, the lowest first, with a sixth bit where more follow;
    from the fourth on it is the difference to the length before the last.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("run lengths that are no text of COCO's form")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("run lengths that end in the middle of one")
    return lengths
