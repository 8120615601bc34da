"""A folder of its own for the workflow's tests, and one tiny run in it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.source import ROOT

CODE = ("Snakefile", "config.yaml", "config", "profiles", "workflow", "wsss")
TINY = "config/tiny.yaml"
# Sets that no classifier of the tiny config trains on.
FURTHER = [
    f"results-tiny/tiny/ood/{name}/selected.csv"
    for name in ("unpruned", "erased", "random", "random_hard")
]


@dataclass(frozen=True)
class Project:
    """A copy of the workflow and the library that a test may edit."""

    folder: Path
    originals: dict[str, str] = field(default_factory=dict)

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the engine in the folder, on the library's copy."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments], cwd=self.folder, env=environment,
            capture_output=True, text=True, check=False, timeout=1500,
        )  # fmt: skip

    def run(self, *targets: str, config: str = TINY, cores: int = 2) -> str:
        """Make the targets and return what the engine says."""
        done = self.snakemake(*targets, "--cores", str(cores), "--configfile", config)
        assert done.returncode == 0, done.stderr[-8000:]
        return done.stderr

    def plan(self, *targets: str, config: str = TINY) -> list[tuple[str, str]]:
        """Return (rule, its outputs) of the jobs that a run would have."""
        done = self.snakemake(*targets, "--dry-run", "--configfile", config)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text[-8000:]
        jobs = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", text, re.MULTILINE)
        found = [
            (name, next(iter(re.findall(r"^    output: (.*)$", lines, re.MULTILINE)), ""))
            for name, lines in jobs
            if name != "all"
        ]
        assert found or "Nothing to be done" in text, text[-2000:]
        return found

    def write_config(self, name: str, change) -> str:
        """Write the tiny config after `change(config)` under another name."""
        config = yaml.safe_load((self.folder / TINY).read_text())
        change(config)
        (self.folder / name).write_text(yaml.safe_dump(config))
        return name

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file."""
        text = (self.folder / name).read_text()
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}"
        self.originals.setdefault(name, text)
        (self.folder / name).write_text(text.replace(old, new))

    def undo(self) -> None:
        """Put the edited files back."""
        for name, text in self.originals.items():
            (self.folder / name).write_text(text)
        self.originals.clear()


def copy_project(folder: Path) -> Project:
    """Copy what the workflow needs into a folder."""
    for name in CODE:
        source, ignore = ROOT / name, shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy(source, folder / name)
    return Project(folder)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A project in which nothing was run."""
    return copy_project(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A project in which the tiny config, and every kind of OoD set, was run."""
    project = copy_project(tmp_path_factory.mktemp("tiny"))
    project.run("all", *FURTHER)
    return project


@pytest.fixture
def edited(tiny):
    """The same project for a test that edits it; its files are put back afterwards."""
    yield tiny
    tiny.undo()
