"""The processes that a campaign starts, found by their session, and killed."""

import os
import signal
import time
from pathlib import Path


def members(session: int) -> list[int]:
    """Return the live processes of a session."""
    return [number for number in _numbers() if _session(number) == session]


def stages(session: int) -> dict[int, str]:
    """Return the stages that run in a session: process and script's name."""
    found = {}
    for number in members(session):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        scripts = [word for word in words if b".snakemake/scripts/" in word]
        # The shell that waits for a stage has the whole command as one word.
        if scripts and b" " not in scripts[0].strip():
            found[number] = scripts[0].decode().split(".")[-2]
    return found


def named(numbers: list[int]) -> str:
    """Return the numbers of processes with what they run."""
    words = []
    for number in numbers:
        try:
            words.append(f"{number} ({Path(f'/proc/{number}/cmdline').read_text()[-80:]})")
        except (FileNotFoundError, ProcessLookupError):
            words.append(f"{number} (ended now)")
    return ", ".join(words)


def kill(numbers: list[int]) -> None:
    """Send SIGKILL to processes, of which some may have ended."""
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_until_gone(session: int, seconds: float) -> list[int]:
    """Return what is left of a session after at most so many seconds."""
    end = time.monotonic() + seconds
    while (left := members(session)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def _numbers() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _session(number: int) -> int | None:
    """Return the session of a process, None if it has ended."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[3])
