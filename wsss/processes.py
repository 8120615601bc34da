"""Processes: who one is, and one that ends when another is gone."""

import contextlib
import logging
import os
import signal
import threading
import time
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0


def process_identity() -> str:
    """Return a text that no other process of any machine has had, for `end_with`."""
    number = os.getpid()
    return f"{_machine()} {number} {_started(number)}"


def runs_here(identity: str) -> bool | None:
    """Return whether the process of an identity still runs; None where this one cannot see it.

    Another machine's processes are out of sight, and so are those outside of a container that
    numbers its processes anew.
    """
    machine, number, started = identity.rsplit(" ", 2)
    return _started(int(number)) == started if machine == _machine() else None


def own_children() -> list[int]:
    """Return the numbers of the processes that this one started and that are not waited for."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # Some systems hide others' processes.
        with contextlib.suppress(PermissionError):
            fields = _stat(int(folder.name))
            if fields and int(fields[1]) == os.getpid():
                found.append(int(folder.name))
    return found


def end_with(identity: str) -> None:
    """End this process by SIGTERM, within about a second, once another one is gone.

    A stage outlives an engine that is killed: nobody tells it. It would go on beside the same stage
    of the engine's next start. A process that this one cannot see is not watched.

    Args:
        identity: What `process_identity` returned in the other process.
    """
    if runs_here(identity) is None:
        return

    def watch() -> None:
        while runs_here(identity):
            time.sleep(LOOK_EVERY_SECONDS)
        try:
            number = identity.split()[-2]
            log.error("process %s, which started this one, is gone: this one ends", number)
        finally:
            # Also where nobody is left to read the line.
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end_with").start()


@cache
def _boot() -> str:
    # The namespace alone has the same number on every machine that numbers no processes anew.
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _machine() -> str:
    return f"{_boot()} {Path('/proc/self/ns/pid').readlink()}"


def _started(number: int) -> str | None:
    """Return when a process started, in ticks of this machine; None once it is gone."""
    fields = _stat(number)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def _stat(number: int) -> list[str] | None:
    """Return what the system says of a process after its name: state, parent, ..."""
    try:
        # The name, which stands in brackets, may hold anything.
        return Path(f"/proc/{number}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
