"""A workflow that is killed again and again ends with the bytes of one that is not.

    python -m tests.campaigns.kill_workflow --kills 100 --random-seed 0 --cores 2

The tiny run is killed at random moments: the engine alone, everything that it started, or one
stage. It is started again as a person would, until it is done, and from an empty folder until so
many kills have hit. Needed: no stage that had finished runs again, no process and no temporary file
is left, and every artifact but logs and times equals that of an uninterrupted run.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaigns.processes import kill, members, named, stages, wait_until_gone
from tests.workflow.conftest import TINY, Project, copy_project

RESULTS = "results-tiny"
TIMED = ("logs", "benchmarks", "report.html")
# Some kills hit the engine's own start; the others come so long after its first job's.
SHARE_OF_STARTS = 0.1
LONGEST_SECONDS = 25
# A stage loads its libraries before it looks for its engine, and a training saves its state.
ORPHAN_SECONDS = 90
STUCK_SECONDS = 900


class DifferenceError(AssertionError):
    """A killed workflow did what an uninterrupted one does not."""


@dataclass
class Campaign:
    """One project that is killed, and what is known of its stages."""

    project: Project
    reference: Path
    cores: int
    random: random.Random
    finished: set[str] = field(default_factory=set)
    sessions: list[int] = field(default_factory=list)
    kills: int = 0

    def run(self, kills: int) -> int:
        """Kill and start again, so many times; return how often the end was reached."""
        ends = 0
        while self.kills < kills or not ends:
            self._start_over()
            while not self._attempt(kills):
                pass
            ends += 1
            self._compare()
            say(f"end {ends}: {len(self.finished)} jobs, all artifacts equal, {self.kills} kills")
        return ends

    def _start_over(self) -> None:
        for name in (RESULTS, ".snakemake"):
            shutil.rmtree(self.project.folder / name, ignore_errors=True)
        self.finished.clear()

    def _attempt(self, kills: int) -> bool:
        """Start the engine, kill it or a stage at a random moment; return whether it got done."""
        output = self.project.folder / "engine.txt"
        engine = self._popen("--cores", str(self.cores), output=output)
        self.sessions.append(engine.pid)
        during_start = self.random.random() < SHARE_OF_STARTS
        moment = self.random.uniform(1, 5 if during_start else LONGEST_SECONDS)
        kind = self.random.choice(("engine", "session", "stage"))
        at_once = self.random.random() < 0.5
        victim = ""
        while not during_start and engine.poll() is None and "jobid" not in output.read_text():
            time.sleep(0.1)
        try:
            engine.wait(moment if self.kills < kills else STUCK_SECONDS)
        except subprocess.TimeoutExpired:
            victim = self._hit(engine, kind)
        self._note_jobs(output)
        if not victim:
            if engine.returncode != 0:
                raise DifferenceError(f"the engine ended by itself:\n{output.read_text()[-4000:]}")
            return True
        self.kills += 1
        place = "start" if during_start else "first job"
        say(
            f"kill {self.kills}: {moment:.1f} s after the {place}, {victim}; "
            f"{len(self.finished)} jobs done"
        )
        if not at_once and (left := wait_until_gone(engine.pid, ORPHAN_SECONDS)):
            raise DifferenceError(f"{named(left)} run {ORPHAN_SECONDS} s after the engine's end")
        if not victim.startswith("stage"):
            unlocked = self._popen("--unlock", output=self.project.folder / "unlock.txt")
            if unlocked.wait(STUCK_SECONDS):
                raise DifferenceError("the lock could not be taken away")
        return False

    def _hit(self, engine: subprocess.Popen, kind: str) -> str:
        running = stages(engine.pid)
        if kind == "stage" and running:
            number = self.random.choice(sorted(running))
            kill([number])
            # The engine lets the other stages end first.
            engine.wait(STUCK_SECONDS)
            return f"stage {running[number]}"
        kill(members(engine.pid) if kind == "session" else [engine.pid])
        engine.wait()
        return f"{'session' if kind == 'session' else 'engine'} with {len(running)} stages"

    def _popen(self, *arguments: str, output: Path) -> subprocess.Popen:
        environment = os.environ | {
            "PYTHONPATH": str(self.project.folder), "OMP_NUM_THREADS": "1"
        }  # fmt: skip
        with output.open("w") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--configfile", TINY, *arguments],
                cwd=self.project.folder, env=environment, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip

    def _note_jobs(self, output: Path) -> None:
        """Note the finished jobs by their logs; none of them may have started again."""
        text = output.read_text()
        blocks = re.findall(r"^(?:local)?rule \w+:\n((?:    .*\n)+)", text, re.MULTILINE)
        logs = {}
        for block in blocks:
            found = dict(re.findall(r"^    (\w+): (.*)$", block, re.MULTILINE))
            if "log" in found:
                logs[found["jobid"]] = found["log"].split(" ")[0]
        again = sorted(set(logs.values()) & self.finished)
        if again:
            raise DifferenceError(f"stages that had finished ran again: {', '.join(again)}")
        ended = re.findall(r"^Finished jobid: (\d+)", text, re.MULTILINE)
        self.finished.update(logs[number] for number in ended if number in logs)

    def _compare(self) -> None:
        left = [n for session in self.sessions for n in wait_until_gone(session, ORPHAN_SECONDS)]
        if left:
            raise DifferenceError(f"{named(left)} run after the end")
        expected, found = artifacts(self.reference), artifacts(self.project.folder / RESULTS)
        names = sorted(expected.keys() ^ found.keys())
        names += sorted(n for n in expected.keys() & found.keys() if expected[n] != found[n])
        if names:
            raise DifferenceError(f"artifacts that differ: {', '.join(names)}")


def artifacts(folder: Path) -> dict[str, bytes]:
    """Return the contents of all artifacts of a results folder by name."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in paths.items() if Path(name).parts[0] not in TIMED
    }


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def campaign(folder: Path, reference: Path | None, *, kills: int, random_seed: int, cores: int):
    """Run a campaign in an empty folder and return it; see above for what must hold."""
    # Copied before the long run: both have the same code.
    project = copy_project(_made(folder / "killed"))
    if reference is None:
        whole = copy_project(_made(folder / "whole"))
        whole.run("all", cores=cores)
        reference = whole.folder / RESULTS
        say(f"uninterrupted run: {len(artifacts(reference))} artifacts")
    found = Campaign(project, reference, cores, random.Random(random_seed))
    try:
        found.run(kills)
    finally:
        kill(members(found.sessions[-1]))
    return found


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def main() -> int:
    """Read the command line, run, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--random-seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument(
        "--reference", type=Path, help="results of an uninterrupted tiny run of this very code"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = campaign(
                Path(folder), options.reference, kills=options.kills,
                random_seed=options.random_seed, cores=options.cores,
            )  # fmt: skip
        except DifferenceError as error:
            say(f"random seed {options.random_seed}: {error}")
            return 1
    say(f"{found.kills} kills, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
