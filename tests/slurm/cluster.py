"""A private SLURM on this machine, which a test may break.

Three nodes, all of them this host: cpu1 and cpu2 (partition cpu), gpu1 (partition gpu) with two
GPUs that are none. Nothing outside the cluster's own folder is written, and no daemon that was not
started here is touched.
"""

import secrets
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.slurm import daemons, jobs, processes, settings
from tests.slurm.daemons import ClusterError
from tests.slurm.jobs import Job
from tests.slurm.settings import NODES

T = TypeVar("T")
CLIENT_SECONDS = 30
USED = ("idle", "mixed", "allocated", "completing")


@dataclass
class Cluster:
    """A running cluster; `start` makes one, `stop` must be called."""

    folder: Path
    accounting: bool
    kill_wait_seconds: int
    env: dict[str, str]
    events: list[str] = field(default_factory=list)
    _first_port: int = 0
    _lock: socket.socket | None = None
    _guard: subprocess.Popen | None = None

    @classmethod
    def start(cls, *, accounting: bool = False, kill_wait_seconds: int = 3) -> "Cluster":
        """Start a cluster and wait until its nodes are idle.

        Args:
            accounting: With slurmdbd and a database, so that sacct knows jobs.
            kill_wait_seconds: How long SLURM gives a cancelled job between SIGTERM and SIGKILL.

        Raises:
            ClusterError: A program is missing, or a daemon did not start; with the end of its log.
        """
        if sentence := settings.missing(accounting=accounting):
            raise ClusterError(sentence)
        # The folder's name is short: sockets in it have room for 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="wsss-slurm-", dir="/tmp"))
        found = cls(folder, accounting, kill_wait_seconds, settings.environment(folder))
        found._guard = daemons.guard(folder)
        try:
            found._start()
        except BaseException:
            found.stop()
            raise
        return found

    def stop(self) -> None:
        """Stop everything, in whatever state it is, and remove the folder."""
        if self.folder.exists():
            daemons.stop_all(self.folder, job_seconds=self.kill_wait_seconds + 2)
        if self._lock:
            self._lock.close()
        if self._guard:
            self._guard.stdin.close()
            self._guard.wait(daemons.STOP_SECONDS)

    def run(
        self, *command: object, seconds: float = CLIENT_SECONDS, cwd: Path | None = None
    ) -> str:
        """Run a command, as of SLURM, and return what it prints.

        Raises:
            ClusterError: It failed, or took longer.
        """
        words = [str(word) for word in command]
        try:
            # A client for which the controller does not answer may try again for minutes.
            done = subprocess.run(
                words, env=self.env, cwd=cwd or self.folder, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, errors="replace", check=False, timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"{shlex.join(words)} took more than {seconds} s") from error
        if done.returncode:
            raise ClusterError(
                f"{shlex.join(words)} failed ({done.returncode}): {done.stderr.strip()[-1000:]}"
            )
        return done.stdout

    def submit(self, script: str, *options: str, cwd: Path | None = None) -> int:
        """Submit a shell script, whose output is thrown away, and return the job's number."""
        words = ("sbatch", "--parsable", "--output=/dev/null", *options, f"--wrap={script}")
        return int(self.run(*words, cwd=cwd).split(";")[0])

    def jobs(self) -> list[Job]:
        """Return all jobs, ended ones included."""
        words = ("squeue", "--noheader", "--states=all", f"--Format={jobs.FORMAT}")
        return jobs.read(self.run(*words), self._expand)

    def job(self, job_id: int) -> Job:
        """Return one job."""
        found = {job.id: job for job in self.jobs()}
        if job_id not in found:
            raise KeyError(f"no job {job_id}; there are {sorted(found)}")
        return found[job_id]

    def running(self) -> list[Job]:
        """Return the jobs that run now."""
        return [job for job in self.jobs() if job.state == "RUNNING"]

    def nodes(self) -> dict[str, str]:
        """Return the states of the nodes, such as idle, mixed, down or down*."""
        lines = self.run("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        return dict(line.split() for line in lines)

    def wait_for(self, predicate: Callable[[], T], seconds: float, what: str) -> T:
        """Return the first true value of a function that is called again and again.

        Raises:
            ClusterError: None came in time; names `what`, the jobs, the nodes and the events.
        """
        end = time.monotonic() + seconds
        while not (found := predicate()):
            if time.monotonic() > end:
                raise ClusterError(f"no {what} after {seconds} s\n{self.description()}")
            time.sleep(0.2)
        return found

    def wait_for_state(self, job_id: int, state: str, seconds: float = 60) -> Job:
        """Wait until a job is in a state, and return it."""

        def there() -> Job | None:
            job = self.job(job_id)
            return job if job.state == state else None

        return self.wait_for(there, seconds, f"job {job_id} in state {state}")

    def wait_for_node(self, name: str, state: str, seconds: float = 60) -> None:
        """Wait until a node is in a state."""
        _check_node(name)
        self.wait_for(lambda: self.nodes()[name] == state, seconds, f"{name} in state {state}")

    def description(self) -> str:
        """Return events, nodes and jobs, as far as the controller answers; the end of its log."""
        lines = ["what was done to the cluster:", *self.events]
        try:
            lines += [f"nodes: {self.nodes()}", "jobs:", *map(str, self.jobs())]
        except ClusterError as error:
            lines.append(str(error))
        return "\n".join([*lines, daemons.last_lines(self.folder, "slurmctld")])

    def cancel(self, job_id: int) -> None:
        """Cancel a job as another person would."""
        self._note(f"cancel job {job_id}")
        self.run("scancel", job_id)

    def signal_job(self, job_id: int, name: str, *, whom: str = "full") -> None:
        """Send a signal, such as TERM, to the processes of a job.

        Args:
            job_id: A running job.
            name: Of the signal.
            whom: `full` for all its processes, `batch` for its script alone, `steps` for the rest.
        """
        options = {"full": ["--full"], "batch": ["--batch"], "steps": []}[whom]
        self._note(f"send {name} to job {job_id} ({whom})")
        self.run("scancel", f"--signal={name}", *options, job_id)

    def end_job_soon(self, job_id: int, seconds: int) -> None:
        """Let a running job's time be over in some seconds; limits are looked at every 30 s."""
        self._note(f"let the time of job {job_id} be over in {seconds} s")
        self.run("scontrol", "update", f"JobId={job_id}", f"EndTime=now+{seconds}")

    def set_node_down(self, name: str) -> None:
        """Take a node out as if it had failed: its jobs end at once, and start again elsewhere.

        One that must not start again (`--no-requeue`) is NODE_FAIL.
        """
        _check_node(name)
        self._note(f"set {name} down")
        # A node that answers comes back by itself within milliseconds, unless it is drained.
        for state in ("DRAIN", "DOWN"):
            self._set_node(name, state)

    def set_node_up(self, name: str) -> None:
        """Take a node back and wait until it is there."""
        _check_node(name)
        self._note(f"set {name} up")

        def there() -> bool:
            if self.nodes()[name] in USED:
                return True
            # Refused where it has come back by itself since.
            with suppress(ClusterError):
                self._set_node(name, "RESUME")
            return False

        self.wait_for(there, 60, f"{name} in use")

    def kill_node(self, name: str, *, with_jobs: bool) -> None:
        """Kill a node's daemon and what looks after its jobs.

        The controller finds out within about half a minute. Then the node's jobs start again
        elsewhere, some seconds later.

        Args:
            name: Of the node.
            with_jobs: As where the power fails. Else the processes of jobs live on, those of steps
                also beside the same job on another node: nobody knows of them.
        """
        _check_node(name)
        self._note(f"kill {name} {'with' if with_jobs else 'but not'} the processes of its jobs")
        victims = processes.of_jobs(self.folder, name) if with_jobs else set()
        # In this order: what looks after a job would tell the controller that it ended.
        processes.kill(sorted(processes.of_daemon(self.folder, name)))
        processes.kill(sorted(victims))

        def found() -> set[int]:
            left = processes.of_jobs(self.folder, name) if with_jobs else set()
            return left | processes.of_daemon(self.folder, name)

        if left := processes.kill_all(found, 10):
            raise ClusterError(f"{processes.described(left)} of {name} cannot be killed")

    def start_node(self, name: str) -> None:
        """Start a node's daemon; the controller may take seconds to take it back."""
        _check_node(name)
        self._note(f"start {name}")
        self._start_node(name)

    def stop_controller(self) -> None:
        """Stop slurmctld: no client has an answer until it is started, jobs go on."""
        self._note("stop the controller")
        daemons.stop(self.folder, "slurmctld")

    def start_controller(self) -> None:
        """Start slurmctld with the jobs that it knew, and wait until it answers."""
        self._note("start the controller")
        self._start_controller()

    def stop_accounting(self) -> None:
        """Stop slurmdbd: sacct has no answer until it is started."""
        self._check_accounting()
        self._note("stop the accounting")
        daemons.stop(self.folder, "slurmdbd")

    def start_accounting(self) -> None:
        """Start slurmdbd and wait until it answers."""
        self._check_accounting()
        self._note("start the accounting")
        self._start_accounting()

    def repair(self) -> None:
        """Bring the cluster back to three idle nodes without jobs, whatever was done to it."""
        self.repair_daemons()
        if waiting := [job.id for job in self.jobs() if not job.ended]:
            self._note(f"cancel what is left: {waiting}")
            daemons.cancel_all(self.folder)
        self.repair_nodes()
        self.wait_for(self._idle, 90, "three idle nodes without jobs")
        if left := processes.kill_all(lambda: processes.of_jobs(self.folder), 10):
            raise ClusterError(f"{processes.described(left)} cannot be killed")

    def repair_daemons(self) -> None:
        """Start the controller and the accounting where they are stopped."""
        if self.accounting and not daemons.number_of(self.folder, "slurmdbd"):
            self.start_accounting()
        if not daemons.number_of(self.folder, "slurmctld"):
            self.start_controller()

    def repair_nodes(self) -> None:
        """Bring the nodes back; jobs stay."""
        for name in NODES:
            if not daemons.number_of(self.folder, name):
                self.start_node(name)
        for name, state in self.nodes().items():
            if state.startswith("drain"):
                self.set_node_up(name)

    def _start(self) -> None:
        self._lock, self._first_port = settings.take_ports()
        for name in ("slurmctld/state", *(f"{node}/spool" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        settings.write_clients(self.folder)
        settings.write_slurm(
            self.folder, self._first_port, accounting=self.accounting,
            kill_wait=self.kill_wait_seconds,
        )  # fmt: skip
        if not settings.local_name():
            daemons.start_munged(self.folder)
        if self.accounting:
            for name in ("mariadbd", "slurmdbd"):
                (self.folder / name).mkdir()
            settings.write_accounting(self.folder, self._first_port, secrets.token_hex(8))
            daemons.start_database(self.folder, self._first_port)
            self._start_accounting()
            self.run("sacctmgr", "--immediate", "--quiet", "add", "cluster", "wsss")
        self._start_controller()
        for name in NODES:
            self._start_node(name)
        self.wait_for(self._idle, daemons.START_SECONDS, "three idle nodes")

    def _start_controller(self) -> None:
        self._start_daemon("slurmctld", "scontrol", "ping")

    def _start_accounting(self) -> None:
        self._start_daemon("slurmdbd", "sacctmgr", "--noheader", "list", "cluster")

    def _start_node(self, name: str) -> None:
        words = ("slurmd", "-N", name, "-f", self.folder / "slurm.conf")
        daemons.start(self.folder, name, *words, ready=lambda: True)

    def _start_daemon(self, name: str, *question: str) -> None:
        """Start a daemon and wait until a client's question is answered."""

        def answered() -> bool:
            try:
                self.run(*question, seconds=10)
            except ClusterError:
                return False
            return True

        daemons.start(self.folder, name, name, ready=answered)

    def _idle(self) -> bool:
        states = self.nodes()
        return all(states.get(name) == "idle" for name in NODES)

    def _set_node(self, name: str, state: str) -> None:
        self.run("scontrol", "update", f"NodeName={name}", f"State={state}", "Reason=test")

    def _expand(self, nodes: str) -> list[str]:
        return self.run("scontrol", "show", "hostnames", nodes).split()

    def _check_accounting(self) -> None:
        if not self.accounting:
            raise ValueError("this cluster was started without accounting")

    def _note(self, text: str) -> None:
        self.events.append(f"{time.strftime('%H:%M:%S')} {text}")
        sys.stdout.write(f"cluster: {self.events[-1]}\n")
        sys.stdout.flush()


def _check_node(name: str) -> None:
    if name not in NODES:
        raise ValueError(f"no node {name!r}; there are {', '.join(NODES)}")
