"""Commands of SLURM that answer what a test wrote, where no cluster is needed."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from wsss.slurm import BETWEEN

RUN = "wsss_0f2f8d3c-7b57-4a4e-9d55-0c8a3f1f8a10"


@dataclass
class FakeSlurm:
    """A folder of commands, first on the PATH; each writes what it was asked to `asked`."""

    folder: Path

    def answer(self, command: str, *lines: str, error: str = "") -> None:
        """Let a command print lines, or fail with an error, from its next call on."""
        said = "".join(f"echo {shlex.quote(line)}\n" for line in lines)
        end = f"echo {shlex.quote(error)} >&2\nexit 1\n" if error else said
        path = self.folder / f"{command}.new"
        path.write_text(f'#!/bin/sh\necho {command} "$@" >> {self.folder}/asked\n{end}')
        path.chmod(0o755)
        # At once: half a script that somebody calls meanwhile would be an empty queue.
        path.replace(self.folder / command)

    @property
    def asked(self) -> list[str]:
        """The command lines so far."""
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []


def queue_line(
    number: str, folder: Path, *, state: str = "RUNNING", name: str = RUN, reason: str = "None"
) -> str:
    """Return a line of squeue in the form that `wsss.slurm.jobs_of` asks for."""
    comment = "rule_localize_wildcards_scenes_wood_0"
    return BETWEEN.join([number, state, name, "cpu1", reason, comment, str(folder)])
