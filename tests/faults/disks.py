"""Small disks of a child process, without rights of a superuser."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source import ROOT


def on_small_disk(
    folder: Path,
    size: str,
    *words: object,
    cwd: Path = ROOT,
    before: str = "true",
    after: str = "true",
) -> subprocess.CompletedProcess[str]:
    """Run a Python command whose `folder` is a disk of that size; skip where that is not possible.

    Args:
        folder: Exists.
        size: As `1m`.
        words: After `python`.
        cwd: Where the command runs.
        before: Shell commands between the mount and the command.
        after: Shell commands after it.
    """
    mount = f"mount -t tmpfs -o size={size} none {shlex.quote(str(folder))}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False).returncode:
        pytest.skip("this machine does not let a test mount a small disk (unshare -rm)")
    command = shlex.join([sys.executable, *map(str, words)])
    script = f"{mount} && {before} && {command}; end=$?; {after}; exit $end"
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=cwd, env=os.environ | {"PYTHONPATH": str(cwd), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
