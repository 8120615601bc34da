"""What the device can do at best: its measured rate of matrix products."""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

REPEATS = 9
SIDES = {"cpu": 2048, "cuda": 8192}
# In a row of the image that stands for a matrix.
PIXELS = 64


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Return floating point operations per second of square matrix products, the median run.

    The better one of two ways: as a product, and as a convolution of 1x1, which on a CPU another
    library computes (twice as fast on an AMD with AVX-512).
    """
    side = SIDES[device.type]
    generator = torch.Generator(device).manual_seed(0)
    left, right = (
        torch.randn(side, side, device=device, generator=generator).to(dtype) for _ in range(2)
    )
    # A pixel for each row of the left one, its channels side by side.
    pixels = left.T.reshape(1, side, -1, PIXELS).contiguous(memory_format=torch.channels_last)
    kernels = right[:, :, None, None]
    ways = (lambda: left @ right, lambda: F.conv2d(pixels, kernels))
    return 2 * side**3 / min(map(_median_seconds, ways))


def _median_seconds(way: Callable[[], torch.Tensor]) -> float:
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        product = way()
        # Reading a value waits for the device.
        product[(0,) * product.ndim].item()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
