"""Processes: one that ends when another is gone, and a lock that one has to itself."""

import errno
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
_locked: dict[Path, int] = {}


def process_identity() -> str:
    """Return a text that no other process of this machine has had, for `end_with`."""
    number = os.getpid()
    return f"{_namespace()} {number} {_started(number)}"


def end_with(identity: str) -> None:
    """End this process by SIGTERM, within about a second, once another one is gone.

    A stage outlives an engine that is killed: nobody tells it. It would go on beside the same stage
    of the engine's next start. A container that numbers processes anew cannot see the other one;
    there, nothing is watched.

    Args:
        identity: What `process_identity` returned in the other process.
    """
    namespace, number, started = identity.split()
    if namespace != _namespace():
        return

    def watch() -> None:
        while _started(int(number)) == started:
            time.sleep(LOOK_EVERY_SECONDS)
        try:
            log.error("process %s, which started this one, is gone: this one ends", number)
        finally:
            # Also where nobody is left to read the line.
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end_with").start()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


def _started(number: int) -> str | None:
    """Return when a process started, in ticks of this machine; None once it is gone."""
    try:
        # The name, which stands in brackets, may hold anything.
        fields = Path(f"/proc/{number}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def wait_for_lock(path: Path) -> str:
    """Lock a file, which is made, until this process ends; wait while another process has it.

    Returns:
        What is worth a line in a log: who was waited for, or that the file system knows no locks;
        else nothing.

    Raises:
        OSError: The file cannot be made.
    """
    if path in _locked:
        return ""
    _locked[path] = descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder_of_lock(descriptor)
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, str(error))
        return f"{path} cannot be locked ({reason}): the same stage of another run would not wait"
    else:
        return ""
    text = f"{path} is locked by {holder}, the same stage of another run"
    sys.stderr.write(f"{text}; waiting until it ends\n")
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return f"{text}; waited until it ended"


def _leave_locks() -> None:
    """Close the copies of a fork's child: they would keep the locks beyond their owner's end."""
    for descriptor in _locked.values():
        os.close(descriptor)
    _locked.clear()


os.register_at_fork(after_in_child=_leave_locks)


def _holder_of_lock(descriptor: int) -> str:
    inode = os.fstat(descriptor).st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        # "1: FLOCK  ADVISORY  WRITE 4711 fe:00:262147 0 EOF"; a waiting one has an arrow.
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}") and fields[4] != "0":
            return f"process {fields[4]}"
    return "a process of another machine"
