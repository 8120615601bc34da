"""What the device can do at best: its measured rate of matrix products."""

import statistics
import time

import torch

REPEATS = 9
SIDES = {"cpu": 2048, "cuda": 8192}


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Return floating point operations per second of square matrix products, the median run."""
    side = SIDES[device.type]
    generator = torch.Generator(device).manual_seed(0)
    left, right = (
        torch.randn(side, side, device=device, generator=generator).to(dtype) for _ in range(2)
    )
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        product = left @ right
        # Reading a value waits for the device.
        product[0, 0].item()
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / statistics.median(seconds)
