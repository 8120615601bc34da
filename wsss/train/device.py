"""The device that a stage computes on, and how it computes there."""

import logging

import torch

log = logging.getLogger(__name__)


def prepare_device(*, threads: int) -> torch.device:
    """Return the GPU if there is one, else the CPU with `threads` threads.

    Deterministic algorithms are asked for where torch has them, so that the same config gives the
    same bytes on the same CPU.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = False
    # As use_deterministic_algorithms(True, warn_only=True), which imports the compiler as well:
    # seconds of every stage's start.
    torch.set_deterministic_debug_mode("warn")
    if torch.cuda.is_available():
        # `wsss cost` and `wsss plan` read these lines.
        log.info("computes on %s", torch.cuda.get_device_name())
        return torch.device("cuda")
    log.info("computes on the CPU, %d threads", threads)
    return torch.device("cpu")
