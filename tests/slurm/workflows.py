"""Workflows that a test sends to a cluster by the project's own profile."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.campaigns.processes import kill, members
from tests.slurm.cluster import Cluster
from tests.source import ROOT
from tests.workflow.conftest import CODE

# As a person would type them, for a cluster of two cores whose jobs take seconds.
FLAGS = (
    "--profile", "slurm", "--cores", "2", "--seconds-between-status-checks", "5",
    "--slurm-init-seconds-before-status-checks", "5",
)  # fmt: skip
# Without the cluster.
LOCAL = ("--cores", "2")
SACCT = (*FLAGS, "--slurm-status-command", "sacct")
START_SECONDS = 300
END_SECONDS = 2400

SNAKEFILE = f"""
include: "{ROOT}/workflow/rules/start.smk"

rule all:
    input:
        expand("parts/{{n}}.txt", n=range(config["parts"])),

rule make:
    output:
        "parts/{{n}}.txt",
    log:
        "logs/make/{{n}}.log",
    resources:
        gpu=config.get("gpus", 0),
        mem_mb=lambda w, attempt: 800 * attempt,
    script:
        "stage.py"
"""
# Goes on until the test makes the file `release`; its lines in the journal say who did what.
STAGE = """
import os, time
from pathlib import Path
from wsss.logs import log_to
from wsss.store.atomic import atomic_path

def note(what):
    words = [snakemake.wildcards.n, what, os.environ.get("SLURM_JOB_ID", "-"),
             os.environ.get("SLURMD_NODENAME", "-"), os.environ.get("CUDA_VISIBLE_DEVICES", "-")]
    line = (" ".join(words) + "\\n").encode()
    descriptor = os.open("journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line)
    os.close(descriptor)

log_to(snakemake.log[0])
config = snakemake.config
note("begins")
block = bytearray(config["megabytes"] << 20) if snakemake.resources.mem_mb < 1600 else b""
if config["fails"]:
    raise ValueError(config["fails"])
while not Path("release").exists():
    time.sleep(0.2)
with atomic_path(snakemake.output[0]) as temporary:
    temporary.write_text("half")
    time.sleep(0.5)
    temporary.write_text("whole")
note("ends")
"""
DEFAULTS = {"parts": 2, "megabytes": 0, "fails": ""}


@dataclass
class Workflow:
    """A folder with a workflow, and the engines that were started in it."""

    cluster: Cluster
    folder: Path
    config: str
    engines: list[subprocess.Popen] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Return that of the cluster, with the folder's copy of the library where it has one."""
        library = self.folder if (self.folder / "wsss").exists() else ROOT
        return self.cluster.env | {"PYTHONPATH": str(library), "OMP_NUM_THREADS": "1"}

    def start(self, *arguments: str, flags: tuple[str, ...] = FLAGS) -> subprocess.Popen:
        """Start the engine; what it says is in `said(engine)`."""
        # Targets after --configfile would be taken for config files.
        words = [*arguments, *flags, "--configfile", self.config]
        with self._output(len(self.engines)).open("w") as file:
            engine = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *words], cwd=self.folder,
                env=self.environment(), stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                start_new_session=True, preexec_fn=_heed_signals,
            )  # fmt: skip
        self.engines.append(engine)
        return engine

    def said(self, engine: subprocess.Popen) -> str:
        """Return what an engine has said so far."""
        return self._output(self.engines.index(engine)).read_text()

    def end(self, engine: subprocess.Popen, seconds: float = END_SECONDS) -> str:
        """Wait for an engine's end with success and return what it said."""
        text, status = self.wait(engine, seconds)
        assert status == 0, f"{text[-6000:]}\n{self.cluster.description()}"
        return text

    def wait(self, engine: subprocess.Popen, seconds: float = END_SECONDS) -> tuple[str, int]:
        """Wait for an engine's end and return what it said and its exit status."""
        try:
            status = engine.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the engine still runs:\n{self.said(engine)[-6000:]}\n{self.cluster.description()}"
            ) from None
        return self.said(engine), status

    def run(self, *arguments: str, flags: tuple[str, ...] = FLAGS) -> str:
        """Run the engine to its end and return what it said."""
        return self.end(self.start(*arguments, flags=flags))

    def wsss(self, *arguments: str) -> subprocess.Popen:
        """Start a command of the library in the folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "wsss.cli", *arguments], cwd=self.folder, text=True,
            env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def journal(self, what: str = "") -> list[list[str]]:
        """Return the stages' lines: part, begins or ends, job, node, GPUs."""
        path = self.folder / "journal"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [line for line in lines if what in line[1]]

    def wait_for(self, lines: int, what: str = "begins") -> list[list[str]]:
        """Wait until so many stages have begun, or ended, and return their lines."""
        end = time.monotonic() + START_SECONDS
        while len(self.journal(what)) < lines:
            assert time.monotonic() < end, (
                f"{self.journal()}\n{self.said(self.engines[-1])[-4000:]}\n"
                f"{self.cluster.description()}"
            )
            time.sleep(0.2)
        return self.journal(what)

    def release(self) -> None:
        """Let the stages go on to their end."""
        (self.folder / "release").touch()

    def finished(self) -> None:
        """Check that every part is whole, and that no two stages were at work on one at once."""
        parts = sorted((self.folder / "parts").iterdir())
        assert [part.read_text() for part in parts] == ["whole"] * len(parts) and parts

    def remove(self, name: str) -> None:
        """Remove a folder and what the engine knows of it, for a run from the beginning."""
        for one in (name, ".snakemake"):
            shutil.rmtree(self.folder / one, ignore_errors=True)

    def close(self) -> None:
        """End what still runs and remove the folder."""
        for engine in self.engines:
            kill(members(engine.pid))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _output(self, number: int) -> Path:
        return self.folder / f"engine{number}.txt"


def small(cluster: Cluster, **options: object) -> Workflow:
    """Return a workflow of equal parts, each of which waits for the test."""
    folder = _folder()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "stage.py").write_text(STAGE)
    (folder / "config.yaml").write_text(yaml.safe_dump({**DEFAULTS, **options}))
    shutil.copytree(ROOT / "slurm", folder / "slurm")
    return Workflow(cluster, folder, "config.yaml")


def project(cluster: Cluster, config: str) -> Workflow:
    """Return a copy of the project."""
    folder = _folder()
    for name in (*CODE, "slurm"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    return Workflow(cluster, folder, config)


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="wsss-run-", dir="/tmp"))


def _heed_signals() -> None:
    # Of tests that run in the background, processes would ignore them.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def jobs_of(lines: list[list[str]]) -> list[int]:
    """Return the numbers of the jobs in lines of a journal."""
    return [int(line[2]) for line in lines]
