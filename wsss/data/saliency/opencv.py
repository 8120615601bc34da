"""Saliency maps that see the image alone, by the contributed saliency module of OpenCV."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from wsss.data.images import read_image
from wsss.data.records import ImageRecord

SOURCE = "the image alone (OpenCV)"


def saliency_maps(
    records: Sequence[ImageRecord], *, method: str, spectral_side: int, scaling: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (image id, saliency map (H, W) uint8, 255 salient) of every image.

    Args:
        records: The images.
        method: See `saliency_map`.
        spectral_side: See `saliency_map`.
        scaling: See `saliency_map`.

    Raises:
        ValueError: An image cannot be read.
    """
    for record in records:
        image = read_image(record.path)
        levels = saliency_map(image, method=method, spectral_side=spectral_side, scaling=scaling)
        yield record.image_id, levels


def saliency_map(image: np.ndarray, *, method: str, spectral_side: int, scaling: str) -> np.ndarray:
    """Return the saliency map of an image, (H, W) uint8; all 0 where nothing stands out.

    Args:
        image: (H, W, 3) uint8 RGB.
        method: "fine_grained" is the difference of brightness between a pixel and its surroundings
            of several sizes (Montabone and Soto 2010). "spectral_residual" is what the spectrum of
            the brightness has beyond its local average (Hou and Zhang 2007).
        spectral_side: Pixels of height and width at which spectral residual sees the image: how
            large what stands out may be. 64 in the paper and in OpenCV, which both stretch the
            image to a square.
        scaling: "min_max" takes the image's smallest value to 0 and its largest to 255. "otsu"
            (ours) also takes the threshold of Otsu between them to the middle, linearly on both
            sides: readers cut saliency at one half, and min_max leaves few pixels above it.

    Raises:
        KeyError: The method is unknown.
        ValueError: The scaling is unknown.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    values = _METHODS[method](grey, spectral_side).astype(np.float64)
    low, high = values.min(), values.max()
    # Of a plain image, the spectrum is rounding errors.
    if grey.min() == grey.max() or low == high:
        return np.zeros(grey.shape, np.uint8)
    levels = np.rint((values - low) / (high - low) * 255).astype(np.uint8)
    if scaling == "min_max":
        return levels
    if scaling == "otsu":
        return _halved_at_otsu(levels)
    raise ValueError(f"scaling is {scaling!r}, but must be min_max or otsu")


def _fine_grained(grey: np.ndarray, side: int) -> np.ndarray:
    _, values = cv2.saliency.StaticSaliencyFineGrained.create().computeSaliency(grey)
    return values


def _spectral_residual(grey: np.ndarray, side: int) -> np.ndarray:
    detector = cv2.saliency.StaticSaliencySpectralResidual.create()
    detector.setImageHeight(side)
    detector.setImageWidth(side)
    _, values = detector.computeSaliency(grey)
    return values


_METHODS = {"fine_grained": _fine_grained, "spectral_residual": _spectral_residual}


def _halved_at_otsu(levels: np.ndarray) -> np.ndarray:
    """Return levels of which exactly those above Otsu's threshold exceed 127.5."""
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    knots = [0, threshold + 0.5, 255]
    table = np.rint(np.interp(np.arange(256), knots, [0, 127.5, 255])).astype(np.uint8)
    return table[levels]
