"""Bilinear resampling of maps, and the stride of their cells, without torch."""

import numpy as np


def resize_bilinear(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return float32 maps (n, height, width), each cell covering its equal share of the map.

    Equals torch's bilinear interpolation with `align_corners=False` (no smoothing when shrinking).

    Args:
        maps: Maps (n, h, w).
        height: Rows wanted.
        width: Columns wanted.
    """
    top, bottom, down = _neighbours(maps.shape[1], height)
    left, right, across = _neighbours(maps.shape[2], width)
    maps = maps.astype(np.float32, copy=False)
    rows = maps[:, top] + (maps[:, bottom] - maps[:, top]) * down[:, None]
    return rows[:, :, left] + (rows[:, :, right] - rows[:, :, left]) * across


def _neighbours(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    position = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    first = np.floor(position).astype(int)
    second = np.minimum(first + 1, old - 1)
    return first, second, (position - first).astype(np.float32)


def stride_of(grid: tuple[int, ...], height: int, width: int) -> int:
    """Return the pixels per cell of a grid (h, w) whose last cells may be cut off by the image.

    Raises:
        ValueError: No stride of a network fits the image (height, width).
    """
    # At most one power of two fits, but for a map of one cell, where all give the same labels.
    for stride in (1, 2, 4, 8, 16, 32):
        if grid == (-(-height // stride), -(-width // stride)):
            return stride
    raise ValueError(
        f"a map of {grid} cells is not one of an image of {height} x {width} pixels: "
        "run the network on this image again"
    )
