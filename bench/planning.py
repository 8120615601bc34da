"""How long the engine plans a large experiment: `snakemake -n` on thousands of jobs."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
# Shards of the training, validation and candidate images; over 10,000 jobs with config.yaml.
SHARDS = {"train": 700, "val": 100, "ood": 900}


def measure_planning() -> dict[str, float]:
    """Return the number of jobs, and the seconds of a dry run.

    900 shards of 10,000 candidates each are the nine million of OpenImages (W-OoD sec. 4).

    Raises:
        RuntimeError: The dry run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = {"base": "config.yaml", "results": "results-bench-plan", "shards": SHARDS}
        path = Path(folder, "large.yaml")
        path.write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules"]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--configfile", str(path)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - started
    jobs = re.search(r"^total +(\d+)", done.stdout + done.stderr, re.MULTILINE)
    if done.returncode or jobs is None:
        raise RuntimeError(f"the dry run failed: {done.stderr[-500:]}")
    return {"jobs": int(jobs[1]), "seconds": seconds}
