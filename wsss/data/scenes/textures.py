"""Noise of zero mean and unit deviation that turns flat colour into cloud, grass or water."""

import cv2
import numpy as np


def cloud_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    cells: float,
    octaves: int,
    stretch: float = 1.0,
    decay: float = 0.55,
) -> np.ndarray:
    """Return smooth noise, float32 (height, width), of mean 0 and deviation 1.

    Args:
        rng: the image's generator.
        shape: height and width, pixels.
        cells: bumps along the shorter side in the coarsest octave.
        octaves: how often a copy of double frequency is added.
        stretch: how much wider than high a bump is.
        decay: amplitude of an octave over that of the one before.
    """
    height, width = shape
    shorter = min(shape) if min(shape) > 8 else max(shape)
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        frequency = cells * 2**octave / shorter
        rows = int(np.clip(round(frequency * height * stretch**0.5), 2, height))
        columns = int(np.clip(round(frequency * width / stretch**0.5), 2, width))
        grid = rng.random((rows, columns), dtype=np.float32)
        total += decay**octave * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / (total.std() + 1e-6)


def ground_noise(
    rng: np.random.Generator, shape: tuple[int, int], *, grain: float, squash: float = 1.0
) -> np.ndarray:
    """Return noise as it lies on a plane that runs from the lower edge to the horizon.

    Args:
        rng: the image's generator.
        shape: height and width, pixels; row 0 is the horizon.
        grain: bumps across the lower edge.
        squash: how much wider than deep a bump is.

    Returns:
        float32 (height, width), about unit deviation near, fading to a fifth at the horizon.
    """
    height, width = shape
    fine = rng.standard_normal((96, 96), dtype=np.float32)
    coarse = rng.standard_normal((24, 24), dtype=np.float32)
    tile = cv2.GaussianBlur(fine, (0, 0), 0.7) * 1.6 + 0.9 * cv2.resize(coarse, (96, 96))
    near = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    depth = 1 / (near + 0.1)
    across = (np.arange(width, dtype=np.float32)[None] / width - 0.5) * depth * grain + 48
    away = np.broadcast_to(depth * grain * squash * 0.5, shape).astype(np.float32)
    noise = cv2.remap(tile, across, away, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return noise * np.clip(0.2 + 1.6 * near, 0, 1) / 1.3
