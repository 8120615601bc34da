"""A workflow on a cluster that breaks again and again ends with the bytes of one machine's run.

    python -m tests.campaigns.break_cluster --faults 20 --random-seed 0

The tiny run goes to a private SLURM of three nodes. At random moments a job is cancelled, a node is
set down or loses its daemon (with the processes of its jobs, or without), the controller is away
for a while, or the engine is killed, interrupted or told to end. It is started again as a person
would, until so many faults have hit and the run is complete. Needed: nothing hangs, `wsss recover`
always leads on, and every artifact but logs and times equals that of a run without SLURM.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.campaigns.kill_workflow import RESULTS, artifacts, say
from tests.slurm.cluster import Cluster
from tests.slurm.workflows import LOCAL, Workflow, project
from tests.workflow.conftest import TINY

LONGEST_PAUSE_SECONDS = 40
STUCK_SECONDS = 1200


class DifferenceError(AssertionError):
    """The run did what one on a whole cluster does not."""


@dataclass
class Campaign:
    """One workflow on one cluster, and what befell it."""

    cluster: Cluster
    workflow: Workflow
    expected: dict[str, bytes]
    random: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    ends: int = 0

    def run(self, faults: int) -> None:
        """Let so many faults hit, and the run reach its end at least once after the last."""
        while self.faults.total() < faults or not self.ends:
            self._attempt(faults)

    def _attempt(self, faults: int) -> None:
        engine = self.workflow.start()
        self.starts += 1
        while engine.poll() is None:
            last = self.faults.total() >= faults
            pause = STUCK_SECONDS if last else self.random.uniform(5, LONGEST_PAUSE_SECONDS)
            try:
                engine.wait(pause)
            except subprocess.TimeoutExpired:
                if last:
                    raise DifferenceError(self._told(engine, "it does not end")) from None
                self._break(engine)
        self.cluster.repair_nodes()
        said = self.workflow.said(engine)
        if engine.returncode == 0:
            self._compare()
            self.workflow.remove(RESULTS)
            return
        if "jobs of an earlier run in this folder" in said:
            raise DifferenceError(self._told(engine, "jobs were left after a recovery"))
        if engine.returncode not in (1, -signal.SIGKILL):
            raise DifferenceError(self._told(engine, f"it ended with {engine.returncode}"))
        self._recover()

    def _break(self, engine: subprocess.Popen) -> None:
        kinds: dict[str, Callable[[], None]] = {
            "a job is cancelled": self._cancel_job,
            "a node is set down": self._set_node_down,
            "a node loses its daemon, its jobs' processes live on": lambda: self._kill_node(False),
            "a node loses power": lambda: self._kill_node(True),
            "the controller is away": self._stop_controller,
            "the engine is killed": lambda: os.killpg(engine.pid, signal.SIGKILL),
            "the engine is interrupted (SIGINT)": lambda: os.kill(engine.pid, signal.SIGINT),
            "the engine is told to end (SIGTERM)": lambda: os.kill(engine.pid, signal.SIGTERM),
        }
        kind = self.random.choice(sorted(kinds))
        if kind == "a job is cancelled" and not self.cluster.running():
            return
        kinds[kind]()
        self.faults[kind] += 1
        say(f"fault {self.faults.total()}: {kind}")
        if kind.startswith("the engine"):
            try:
                engine.wait(STUCK_SECONDS)
            except subprocess.TimeoutExpired:
                raise DifferenceError(self._told(engine, f"after {kind!r} it hangs")) from None

    def _cancel_job(self) -> None:
        self.cluster.cancel(self.random.choice(self.cluster.running()).id)

    def _node(self) -> str:
        return self.random.choice(sorted(self.cluster.nodes()))

    def _set_node_down(self) -> None:
        name = self._node()
        self.cluster.set_node_down(name)
        time.sleep(self.random.uniform(1, 20))
        self.cluster.set_node_up(name)

    def _kill_node(self, with_jobs: bool) -> None:
        name = self._node()
        self.cluster.kill_node(name, with_jobs=with_jobs)
        # The controller has to notice, which takes half a minute.
        self.cluster.wait_for(
            lambda: self.cluster.nodes()[name].startswith("down"), 120, f"{name} down"
        )
        self.cluster.start_node(name)

    def _stop_controller(self) -> None:
        self.cluster.stop_controller()
        time.sleep(self.random.uniform(5, 60))
        self.cluster.start_controller()

    def _recover(self) -> None:
        cancel = self.random.choice(("none", "waiting", "all"))
        recovery = self.workflow.wsss("recover", "--cancel", cancel)
        try:
            said, errors = recovery.communicate(timeout=STUCK_SECONDS)
        except subprocess.TimeoutExpired:
            recovery.kill()
            raise DifferenceError(
                f"recover hangs: {recovery.communicate()}\n{self.cluster.description()}"
            ) from None
        if recovery.returncode:
            raise DifferenceError(f"recover failed: {errors}")
        say(f"recover --cancel {cancel}: {said.strip()}")

    def _compare(self) -> None:
        found = artifacts(self.workflow.folder / RESULTS)
        names = sorted(self.expected.keys() ^ found.keys())
        names += sorted(
            n for n in found.keys() & self.expected.keys() if found[n] != self.expected[n]
        )
        if names:
            raise DifferenceError(f"artifacts that differ: {', '.join(names)}")
        self.ends += 1
        say(f"end {self.ends}: all {len(found)} artifacts equal after {self.faults.total()} faults")

    def _told(self, engine: subprocess.Popen, what: str) -> str:
        said = self.workflow.said(engine)[-4000:]
        return f"{what}:\n{said}\n{self.cluster.description()}"


def main() -> int:
    """Read the command line, run, print the counts, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, required=True)
    parser.add_argument("--random-seed", type=int, required=True)
    options = parser.parse_args()
    cluster = Cluster.start()
    local, workflow = project(cluster, TINY), project(cluster, TINY)
    status = 0
    try:
        local.run(flags=LOCAL)
        expected = artifacts(local.folder / RESULTS)
        say(f"the run of one machine: {len(expected)} artifacts")
        campaign = Campaign(cluster, workflow, expected, random.Random(options.random_seed))
        campaign.run(options.faults)
        rows = [f"| {kind} | {count} |" for kind, count in sorted(campaign.faults.items())]
        say("\n".join(["counts", "| what happened | times |", "|---|---:|", *rows]))
        say(f"{campaign.starts} starts, {campaign.ends} ends, no difference")
    except DifferenceError as error:
        say(f"random seed {options.random_seed}: {error}")
        status = 1
    finally:
        for one in (local, workflow):
            one.close()
        cluster.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
