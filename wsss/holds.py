"""A hold: of all processes that share a file system, one at a time has it.

A lock of the operating system ends with its process, but not every shared file system passes it on
to other hosts. A hold is a file, `<path>.1`, `<path>.2`, ..., that says who made it: making a file
that must not exist yet is all that it asks of a file system. The highest number counts, and is
empty once its maker gave it back. Who finds it empty, or its maker gone, makes the next number: of
two that try at once, one succeeds. A maker that finds a higher number than its own was taken for
dead and ends itself.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from wsss import slurm
from wsss.processes import LOOK_EVERY_SECONDS, process_identity, runs_here

log = logging.getLogger(__name__)

BEAT_SECONDS = 20.0
# Only where nothing else tells whether a holder lives. File systems remember dates for a minute.
SILENT_SECONDS = 300.0
ASK_SLURM_SECONDS = 15.0
# A number that could be made a second time would be taken for the next one by who reads the folder
# while others come and go.
KEPT_NUMBERS = 20
NO_SUCH_FILES = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_held: set[Path] = set()


@dataclass(frozen=True)
class Holder:
    """Who has a hold.

    Attributes:
        identity: As `wsss.processes.process_identity` returns it.
        host: The machine's name.
        job: The number of its SLURM job, or nothing.
    """

    identity: str
    host: str
    job: str

    def __str__(self) -> str:
        in_job = f" (SLURM job {self.job})" if self.job else ""
        return f"process {self.identity.split()[-2]} on {self.host}{in_job}"


def take_hold(path: Path) -> str:
    """Take the hold on a path until this process ends; wait while another process has it.

    Args:
        path: Holds are made beside it; its folder exists.

    Returns:
        What is worth a line in a log: who was waited for, or that the file system does not know
        what a hold needs; else nothing.

    Raises:
        OSError: The folder does not take files.
    """
    if path in _held:
        return ""
    said = ""
    watch = HoldWatch(path)
    while True:
        number, holder = watch.look()
        if holder is None:
            try:
                made = _make(path, number + 1)
            except OSError as error:
                if error.errno not in NO_SUCH_FILES:
                    raise
                reason = errno.errorcode[error.errno]
                return (
                    f"{path} cannot be held ({reason}): the same stage of another run would not "
                    "wait"
                )
            if made:
                break
            continue
        if not said:
            said = f"{path} is held by {holder}, the same stage of another run"
            sys.stderr.write(f"{said}; waiting until it ends\n")
        time.sleep(LOOK_EVERY_SECONDS)
    _held.add(path)
    # The process may go to another folder meanwhile.
    path, made = path.absolute(), made.absolute()
    atexit.register(_give_back, made, os.getpid())
    threading.Thread(target=_keep, args=(path, made), daemon=True, name="hold").start()
    return f"{said}; waited until it ended" if said else ""


class HoldWatch:
    """Watches who has the hold on a path.

    Args:
        path: What `take_hold` was given.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[Path, int] | None = None
        self._seen_at = self._asked_at = -float("inf")
        self._at_work = False

    def holder(self) -> Holder | None:
        """Return who has the hold, or None where nobody has it or who had it is gone.

        A process of this machine is looked up, a SLURM job asked for. Where neither is possible,
        one that has given no sign for five minutes of watching counts as gone.
        """
        return self.look()[1]

    def look(self) -> tuple[int, Holder | None]:
        """Return the highest number, 0 without any, and who has the hold by it."""
        newest = _newest(self.path)
        if newest is None:
            return 0, None
        try:
            text = newest.read_text()
            date = newest.stat().st_mtime_ns
        except FileNotFoundError:
            # Old numbers go while others are made.
            return self.look()
        if not text:
            return _number(newest), None
        holder = Holder(**json.loads(text))
        runs = runs_here(holder.identity)
        if runs is None and holder.job:
            runs = self._job_runs(holder.job)
        if runs is None:
            runs = self._gives_signs(newest, date)
        return _number(newest), holder if runs else None

    def last_sign(self) -> int:
        """Return the date of the holder's last sign of life, in nanoseconds; 0 without a holder."""
        newest = _newest(self.path)
        return newest.stat().st_mtime_ns if newest else 0

    def _job_runs(self, job: str) -> bool | None:
        if job == slurm.own_job():
            # SLURM runs a job once at a time: this is its next run, after its node failed.
            return False
        if not slurm.available():
            return None
        if time.monotonic() - self._asked_at > ASK_SLURM_SECONDS:
            try:
                self._at_work = slurm.state_of(job) in slurm.AT_WORK
            except slurm.SlurmError as error:
                log.warning("is job %s still at work? %s", job, error)
                return None
            self._asked_at = time.monotonic()
        return self._at_work

    def _gives_signs(self, newest: Path, date: int) -> bool:
        if self._seen != (newest, date):
            self._seen, self._seen_at = (newest, date), time.monotonic()
        return time.monotonic() - self._seen_at < SILENT_SECONDS


def _make(path: Path, number: int) -> Path | None:
    """Make a number and return its file; None where another process was faster."""
    made = _numbered(path, number)
    host = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    own = Holder(process_identity(), host, slurm.own_job())
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        draft.write_text(json.dumps(asdict(own)))
        # With its text from the first moment on, and never in another's place.
        made.hardlink_to(draft)
    except FileExistsError:
        return None
    finally:
        draft.unlink(missing_ok=True)
    if _newest(path) != made:
        # This process slept since it read the list, for so long that its number was free again.
        made.unlink(missing_ok=True)
        return None
    with contextlib.suppress(FileNotFoundError):
        for old in range(number - KEPT_NUMBERS, 0, -1):
            _numbered(path, old).unlink()
    return made


def _keep(path: Path, made: Path) -> None:
    """Give a sign from time to time; end this process once another one has the hold."""
    following = _numbered(path, _number(made) + 1)
    while True:
        time.sleep(BEAT_SECONDS)
        # Folders are long where jobs are many: read only where something happened.
        try:
            newest = made if made.exists() and not following.exists() else _newest(path)
        except FileNotFoundError:
            # The folder went, and with it whatever was held.
            return
        if newest == made:
            with contextlib.suppress(FileNotFoundError):
                os.utime(made)
        elif newest:
            try:
                log.error("%s was taken by %s: this process ends", path, newest.read_text())
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
            return


def _give_back(made: Path, owner: int) -> None:
    if os.getpid() == owner and made.exists():
        os.truncate(made, 0)


def _newest(path: Path) -> Path | None:
    return max(_numbers(path), key=_number, default=None)


def _numbers(path: Path) -> list[Path]:
    start = f"{path.name}."
    return [
        found
        for found in path.parent.iterdir()
        if found.name.startswith(start) and found.name.removeprefix(start).isdecimal()
    ]


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _number(made: Path) -> int:
    return int(made.name.rsplit(".", 1)[1])
