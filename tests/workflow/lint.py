"""Snakemake's own lint, without the one demand that does not fit: an environment per rule.

All rules run in the one environment that `make` sets up from hashed pins.
"""

import subprocess
import sys

LEFT_OUT = "Specify a conda environment or container for each rule."

done = subprocess.run(["snakemake", "--lint"], capture_output=True, text=True, check=False)
text = done.stdout + done.stderr
lines = text.splitlines()
places = [line for line in lines if line.startswith("Lints for ")]
found = [line for line in lines if line.startswith("    * ") and LEFT_OUT not in line]
if not places and "All good" not in text:
    sys.exit(f"snakemake --lint did not run:\n{text}")
if found:
    sys.exit("\n".join(found))
