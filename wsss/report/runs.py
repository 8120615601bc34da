"""How long the rules took, and on what machine and software."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

PACKAGES = ("torch", "torchvision", "numpy", "pandas", "scipy", "matplotlib", "snakemake", "h5py")


def find_benchmarks(folder: Path) -> dict[str, list[Path]]:
    """Return the benchmark files below a folder by rule.

    A file is named after its rule, `.../train_wood.tsv`; the jobs of a rule with shards are
    numbered files in a folder of its name, `.../localize/3.tsv`.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).rglob("*.tsv")):
        found.setdefault(path.parent.name if path.stem.isdigit() else path.stem, []).append(path)
    return found


def run_times(benchmarks: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Return jobs, total and longest time and peak memory of each rule, slowest rule first.

    Args:
        benchmarks: The workflow's benchmark files (tab-separated; `s` in seconds, `max_rss` in MB).

    Raises:
        ValueError: A file lacks the column `s`.
    """
    rows = []
    for rule, paths in benchmarks.items():
        tables = [pd.read_csv(path, sep="\t", na_values=["-", "NA"]) for path in paths]
        for path, table in zip(paths, tables, strict=True):
            if "s" not in table.columns:
                raise ValueError(f"{path} is no benchmark file: it lacks the column 's'; delete it")
        if not tables:
            continue
        joined = pd.concat(tables, ignore_index=True)
        memory = joined["max_rss"].max() if "max_rss" in joined.columns else float("nan")
        rows.append(
            {
                "rule": rule,
                "jobs": len(joined),
                "seconds in all": joined["s"].sum(),
                "longest job (s)": joined["s"].max(),
                "peak memory (MB)": memory,
            }
        )
    table = pd.DataFrame(
        rows, columns=["rule", "jobs", "seconds in all", "longest job (s)", "peak memory (MB)"]
    )
    return table.sort_values("seconds in all", ascending=False, ignore_index=True)


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
