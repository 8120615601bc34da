"""What each stage of a chain costs per image, from runs on data sets of three sizes."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from bench.planning import ROOT

TRAIN_IMAGES = (200, 400, 800)
CHAIN = "scenes/wood/cam/irn/deeplab"
# config.yaml's segmenter sees every training image four times.
PASSES = 4


def measure_chain() -> pd.DataFrame:
    """Return per stage the seconds at each size, per image, and at the start.

    The chain is that of config.yaml; validation images and candidates grow with the training
    images, and so do the segmenter's iterations.

    Raises:
        RuntimeError: A run failed.
    """
    # Results stand in the project, or a config is refused.
    with tempfile.TemporaryDirectory(prefix="results-bench-", dir=ROOT) as folder:
        runs = {count: _seconds(count, Path(folder)) for count in TRAIN_IMAGES}
    table = pd.DataFrame(runs)
    slopes, starts = np.polyfit(TRAIN_IMAGES, table.to_numpy().T, 1)
    line = np.outer(slopes, TRAIN_IMAGES) + starts[:, None]
    table["per_image_s"], table["start_s"] = slopes, starts
    table["off_the_line"] = np.abs(table[[*TRAIN_IMAGES]] / line - 1).max(axis=1)
    return table.sort_values("per_image_s", ascending=False)


def _seconds(train_images: int, folder: Path) -> pd.Series:
    """Return the wall seconds of each rule of one run, one job at a time."""
    results = folder / f"results-{train_images}"
    path = folder / f"{train_images}.yaml"
    path.write_text(yaml.safe_dump(_config(train_images, str(results.relative_to(ROOT)))))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the run on {train_images} images failed: {done.stderr[-500:]}")
    rules: dict[str, float] = {}
    for file in (results / "benchmarks").rglob("*.tsv"):
        rule = file.parent.name if file.stem.isdigit() else file.stem
        rules[rule] = rules.get(rule, 0.0) + float(pd.read_csv(file, sep="\t")["s"].iloc[0])
    return pd.Series(rules)


def _config(train_images: int, results: str) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    share = train_images / 800
    sizes = {"train": train_images, "val": round(200 * share), "ood": round(600 * share)}
    config["datasets"]["scenes"] |= sizes
    steps = config["segmenters"]["deeplab"]["training"]
    steps["iterations"] = PASSES * train_images // steps["images"]["batch_size"]
    table = {"title": "Chain", "stage": "segmentation", "split": "val", "chains": {"W-OoD": CHAIN}}
    return config | {"results": results, "tables": {"chain": table}, "figures": {}, "panels": {}}
