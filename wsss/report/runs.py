"""What the rules did cost, and on what machine and software."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from wsss.plan.spent import Costs

SUMMED = ("jobs", "core-hours", "GPU-hours")
OF_SLURM = ("memory asked (MB)", "longest wait (s)")
COLUMNS = ("rule", *SUMMED, "longest job (s)", "peak memory (MB)", *OF_SLURM)
PACKAGES = ("torch", "torchvision", "numpy", "pandas", "scipy", "matplotlib", "snakemake", "h5py")


def cost_table(costs: Costs) -> pd.DataFrame:
    """Return what each rule did cost, the costliest first, and their sum.

    Columns that nothing is known of (GPU-hours, SLURM's memory and waiting) are left out.
    """
    rows = [
        {
            "rule": line.rule,
            "jobs": line.jobs,
            "core-hours": line.core_hours,
            "GPU-hours": line.gpu_hours,
            "longest job (s)": line.longest_seconds,
            "peak memory (MB)": line.peak_mb,
            "memory asked (MB)": line.asked_mb,
            "longest wait (s)": line.waited,
        }
        for line in costs.rules
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(COLUMNS[2:], float))
    if not table["GPU-hours"].any():
        table = table.drop(columns="GPU-hours")
    table = table.drop(columns=[name for name in OF_SLURM if table[name].isna().all()])
    total = {"rule": "all", **table[table.columns.intersection(SUMMED)].sum()}
    largest = table.columns.difference([*SUMMED, "rule"])
    total |= table[largest].max().to_dict()
    joined = pd.concat([table, pd.DataFrame([total])], ignore_index=True) if rows else table
    return joined[table.columns].astype({"jobs": int})


def software() -> dict[str, str]:
    """Return the versions of Python and of the packages that the results depend on."""
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def machine() -> dict[str, str]:
    """Return what kind of machine wrote the report (not its name or paths)."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor cores": str(os.cpu_count()),
    }
