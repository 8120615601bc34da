"""Pictures made of an image and something over it: masks, maps, hatching, outlines."""

from collections.abc import Sequence

import matplotlib
import numpy as np

from wsss.store.masks import voc_palette

SAFE_COLOURS = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
    (240, 228, 66),
)  # fmt: skip
UNSURE = (255, 255, 255)
IGNORE_INDEX = 255


def mask_palette(num_classes: int) -> np.ndarray:
    """Return (256, 3) uint8: black background, class colours, white for 255.

    Up to seven classes get colours that are told apart with any common colour vision; beyond, no
    palette can promise that, and VOC's own is used.
    """
    palette = voc_palette().copy()
    if num_classes <= len(SAFE_COLOURS):
        palette[1 : num_classes + 1] = SAFE_COLOURS[:num_classes]
    palette[IGNORE_INDEX] = UNSURE
    return palette


def class_legend(classes: Sequence[str], palette: np.ndarray) -> dict[str, tuple[int, int, int]]:
    """Return the palette's colour of each class by name."""
    return {
        name: (int(red), int(green), int(blue))
        for name, (red, green, blue) in zip(classes, palette[1:], strict=False)
    }


def overlay(image: np.ndarray, mask: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return the image, greyed and dimmed, with the mask's colours over it.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8; 0 stays the dimmed image.
        palette: (256, 3) uint8.

    Raises:
        ValueError: Image and mask differ in size.
    """
    _same_size(image, mask)
    dimmed = 0.45 * _grey(image) + 0.2 * 255 * 0.45
    coloured = 0.78 * palette[mask] + 0.22 * _grey(image)
    return _to_bytes(np.where((mask > 0)[..., None], coloured, dimmed))


def heatmap(image: np.ndarray, localization_map: np.ndarray) -> np.ndarray:
    """Return the image, greyed, under a colour map that is read the same with any colour vision.

    Args:
        image: (H, W, 3) uint8.
        localization_map: (H, W) float in [0, 1]; 0 leaves the image grey, 1 is the brightest.

    Raises:
        ValueError: Image and map differ in size.
    """
    _same_size(image, localization_map)
    share = np.clip(localization_map, 0.0, 1.0)
    colours = 255 * matplotlib.colormaps["inferno"](share)[..., :3]
    opacity = (0.35 + 0.5 * share)[..., None]
    return _to_bytes((1 - opacity) * _grey(image) + opacity * colours)


def hatch(
    image: np.ndarray, region: np.ndarray, colour: tuple[int, int, int], *, period: int, width: int
) -> np.ndarray:
    """Return the image with diagonal stripes inside a region.

    Args:
        image: (H, W, 3) uint8.
        region: (H, W) bool.
        colour: RGB of the stripes, 0 to 255.
        period: Distance of two stripes in pixels along a row.
        width: Width of a stripe in pixels along a row.

    Raises:
        ValueError: Image and region differ in size.
    """
    _same_size(image, region)
    rows, columns = np.indices(region.shape)
    stripes = region & ((rows + columns) % period < width)
    return np.where(stripes[..., None], np.array(colour, np.uint8), image)


def outline(image: np.ndarray, region: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the image with a one-pixel line along the inner border of a region.

    Args:
        image: (H, W, 3) uint8.
        region: (H, W) bool.
        colour: RGB of the line, 0 to 255.

    Raises:
        ValueError: Image and region differ in size.
    """
    _same_size(image, region)
    padded = np.pad(region, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.where((region & ~inner)[..., None], np.array(colour, np.uint8), image)


def _grey(image: np.ndarray) -> np.ndarray:
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _same_size(image: np.ndarray, other: np.ndarray) -> None:
    if image.shape[:2] != other.shape:
        raise ValueError(
            f"image of shape {image.shape} and mask or map of shape {other.shape} differ in size; "
            "bring the mask or map to the image's size first"
        )
