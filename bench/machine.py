"""The machine that a benchmark ran on, in words."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch


def describe_machine() -> str:
    """Return processor, cores, memory, GPU, and the versions that matter for speed."""
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    processor = models[0] if models else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB"]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    parts.append(f"Python {platform.python_version()}, torch {version('torch')}")
    return "; ".join(parts)
