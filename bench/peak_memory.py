"""Peak memory of one way of computing, in a process of its own and the processes it starts."""

import subprocess
import sys
import threading
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.02


def peak_memory(kind: str, name: str, which: str) -> float:
    """Return how much memory a computation needs beyond its inputs and libraries, MiB.

    Args:
        kind: `comparison` or `scaling`.
        name: Of the comparison or scaling.
        which: The way, `ours` or `plain`, or the size.

    Raises:
        RuntimeError: The process failed.
    """
    command = [sys.executable, "-m", "bench.peak_memory", kind, name, which]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}, {which}: {done.stderr.strip()[-500:]}")
    return float(done.stdout.split()[-1])


def peak_of(work, argument) -> float:
    """Run `work(argument)` in this process and return the memory it needed beyond the present."""
    # Linux forgets the largest size so far.
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    children: dict[int, float] = {}
    others = {child.pid for child in psutil.Process().children(recursive=True)}
    done = threading.Event()
    watcher = threading.Thread(target=_watch_children, args=(children, others, done))
    watcher.start()
    work(argument)
    done.set()
    watcher.join()
    return _status("VmHWM") - before + sum(children.values())


def _watch_children(peaks: dict[int, float], others: set[int], done: threading.Event) -> None:
    this = psutil.Process()
    while not done.wait(SAMPLE_SECONDS):
        for child in this.children(recursive=True):
            if child.pid in others:
                continue
            try:
                size = child.memory_full_info().uss / 2**20
            except psutil.Error:  # it has just ended
                continue
            peaks[child.pid] = max(size, peaks.get(child.pid, 0.0))


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {name}: peak memory needs Linux")


def main() -> None:
    """Print the peak of `python -m bench.peak_memory KIND NAME WAY_OR_SIZE`."""
    from bench.rows import find_comparison
    from bench.scaling import find_scaling

    _, kind, name, which = sys.argv
    if kind == "comparison":
        comparison = find_comparison(name)
        work, inputs = getattr(comparison, which), comparison.prepare()
    else:
        scaling = find_scaling(name)
        work, inputs = scaling.work, scaling.prepare(int(which))
    print(peak_of(work, inputs))  # noqa: T201


if __name__ == "__main__":
    main()
