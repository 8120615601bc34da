"""The daemons of a test cluster: started, stopped, and stopped where nobody else does.

Run as a program, this waits until the process that started it is gone, and then stops what that one
has left. A test run that is killed cannot do so.
"""

import logging
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.slurm import processes
from tests.slurm.settings import DATABASE, NODES, environment, program
from tests.source import ROOT

# Each one needs those that come after it.
ORDER = (*NODES, "slurmctld", "slurmdbd", "mariadbd", "munged")
START_SECONDS = 60
STOP_SECONDS = 10


class ClusterError(RuntimeError):
    """The cluster did not do what a test asked it to."""


def last_lines(folder: Path, name: str, count: int = 5) -> str:
    """Return the end of a daemon's log."""
    log = folder / name / "daemon.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    return f"the log of {name} ends:\n" + "\n".join(text.splitlines()[-count:] or ["(empty)"])


def number_of(folder: Path, name: str) -> int | None:
    """Return the process of a daemon, None while it does not run.

    A process is believed to be the one of the pid file only while it is one of this folder.
    """
    try:
        number = int((folder / name / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return number if processes.lives(number, folder) else None


def start(folder: Path, name: str, *words: str | Path | None, ready: Callable[[], bool]) -> None:
    """Start a daemon that leaves for the background, and wait until it is ready.

    Raises:
        ClusterError: It ended, or was not ready in time.
    """
    path = program(str(words[0]))
    done = subprocess.run(
        [path, *map(str, words[1:])], env=environment(folder) | {"LC_ALL": "C"}, cwd=folder,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
        timeout=START_SECONDS,
    )  # fmt: skip
    end = time.monotonic() + START_SECONDS
    while not (done.returncode == 0 and number_of(folder, name) and ready()):
        if done.returncode or time.monotonic() > end:
            raise ClusterError(
                f"{name} did not start: {done.stderr.strip()[-500:]}; {last_lines(folder, name)}"
            )
        time.sleep(0.1)


def start_munged(folder: Path) -> None:
    """Start what makes and reads credentials, with a key of its own."""
    home = folder / "munged"
    home.mkdir()
    for path in (folder, home):
        # munged wants its socket to be in everybody's reach.
        path.chmod(0o711)
    key = home / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    start(
        folder, "munged", "munged", f"--key-file={key}", f"--socket={home}/socket",
        f"--pid-file={home}/pid", f"--log-file={home}/daemon.log", f"--seed-file={home}/seed",
        ready=(home / "socket").exists,
    )  # fmt: skip


def start_database(folder: Path, first_port: int) -> None:
    """Make an empty database, and start its server."""
    home, user = folder / "mariadbd", f"--user={_user()}"
    made = subprocess.run(
        [
            program("mariadb-install-db"), "--no-defaults", user, f"--datadir={home}/data",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ],
        capture_output=True, text=True, errors="replace", check=False, timeout=START_SECONDS,
    )  # fmt: skip
    if made.returncode:
        raise ClusterError(f"mariadb-install-db failed: {(made.stdout + made.stderr)[-500:]}")
    # This daemon does not leave for the background by itself.
    start(
        folder, "mariadbd", "setsid", "--fork", "sh", "-c", 'exec "$0" "$@" >/dev/null 2>&1',
        program("mariadbd"), "--no-defaults", user, f"--datadir={home}/data",
        f"--socket={home}/socket", f"--pid-file={home}/pid", f"--log-error={home}/daemon.log",
        f"--init-file={home}/users.sql", "--bind-address=127.0.0.1", "--skip-name-resolve",
        f"--port={first_port + DATABASE}", "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=0",
        "--innodb-lock-wait-timeout=900",
        ready=lambda: "ready for connections" in last_lines(folder, "mariadbd"),
    )  # fmt: skip


def stop(folder: Path, name: str) -> None:
    """Ask a daemon to end, and kill it if it does not."""
    end = time.monotonic() + STOP_SECONDS
    if number := number_of(folder, name):
        os.kill(number, signal.SIGTERM)
    while number and processes.lives(number, folder):
        if time.monotonic() > end:
            processes.kill_all(lambda: {number} if processes.lives(number, folder) else set(), 5)
        time.sleep(0.05)


def stop_all(folder: Path, *, job_seconds: float) -> None:
    """Cancel all jobs, stop all daemons, kill what is left of them, and remove the folder.

    Args:
        folder: Of a cluster in any state.
        job_seconds: How long cancelled jobs have to end by themselves.

    Raises:
        ClusterError: A process could not be killed.
    """
    if number_of(folder, "slurmctld"):
        cancel_all(folder)
        end = time.monotonic() + job_seconds
        while processes.of_jobs(folder) and time.monotonic() < end:
            time.sleep(0.1)
    for name in ORDER:
        stop(folder, name)
    if left := processes.kill_all(lambda: processes.of_cluster(folder), 10):
        raise ClusterError(f"{processes.described(left)} cannot be killed")
    shutil.rmtree(folder)


def cancel_all(folder: Path) -> None:
    """Cancel all jobs, as far as the controller answers."""
    try:
        subprocess.run(
            [folder / "bin" / "scancel", f"--user={_user()}"], env=environment(folder),
            capture_output=True, check=False, timeout=5,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        logging.getLogger(__name__).warning("scancel had no answer in 5 s")


def guard(folder: Path) -> subprocess.Popen:
    """Start the process that stops the cluster of a folder when this process is gone."""
    # Told by its input, so that it is not taken for one of the cluster's own processes.
    found = subprocess.Popen(
        [sys.executable, "-m", "tests.slurm.daemons"], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, text=True,
    )  # fmt: skip
    found.stdin.write(f"{folder}\n")
    found.stdin.flush()
    return found


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def main() -> None:
    """Wait for the end of the input, which the kernel brings about in any case."""
    folder = Path(sys.stdin.readline().strip())
    sys.stdin.read()
    if folder.exists():
        stop_all(folder, job_seconds=0)


if __name__ == "__main__":
    main()
