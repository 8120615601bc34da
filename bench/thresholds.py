"""Compare ways of choosing a background threshold: `python -m bench.thresholds RESULTS ...`.

Reads the maps and the threshold curves of runs that ended. The maps tell a threshold by every way,
the curves what mIoU it has, and what the best one has, which only ground truth tells.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pandas as pd

from wsss.config.thresholds import WAYS
from wsss.progress import progress
from wsss.store.maps import MapReader
from wsss.store.tables import read_table
from wsss.thresholds.choice import ThresholdChoice

log = logging.getLogger(__name__)

FIXED = (0.15, 0.3)
BEST = "best by ground truth"


def main() -> None:
    """Print the table, and write the single runs where asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.thresholds", description=__doc__)
    parser.add_argument("results", nargs="+", type=Path, help="results folders of runs that ended")
    parser.add_argument("--fixed", nargs="*", type=float, default=FIXED, help="numbers beside them")
    parser.add_argument("--runs", type=Path, help="write a CSV of the single runs here")
    options = parser.parse_args()
    table = compare(options.results, fixed=options.fixed)
    if options.runs:
        table.to_csv(options.runs, index=False)
    sys.stdout.write(loss_table(table))


def compare(folders: Sequence[Path], *, fixed: Sequence[float]) -> pd.DataFrame:
    """Return a row for every run and threshold: where it came from, its mIoU, and what it loses.

    Runs whose maps have no contrast at all are left out.

    Args:
        folders: Results folders.
        fixed: Thresholds that are compared as well.

    Returns:
        Columns results, classifier, random_seed, localizer, way, threshold, miou (fraction) and
        loss, the percentage points of mIoU below the best threshold of the run.

    Raises:
        ValueError: There is no run, or a curve lacks a threshold.
    """
    runs = [run for folder in folders for run in sorted(folder.glob("*/*/s*/*/maps"))]
    rows = [row for run in progress(runs, total=len(runs), description="runs", unit="runs")
            for row in _rows(run.parent, fixed)]  # fmt: skip
    if not rows:
        raise ValueError(
            f"{', '.join(map(str, folders))}: no maps of a run there; name results folders"
        )
    return pd.DataFrame(rows)


def _rows(run: Path, fixed: Sequence[float]) -> Iterator[dict[str, object]]:
    curve = read_table(run / "threshold_curve.csv", ["threshold", "miou"])
    miou = dict(zip(curve["threshold"].round(6), curve["miou"], strict=True))
    best = max(miou, key=lambda threshold: miou[threshold])
    chosen = thresholds_of(sorted((run / "maps").glob("*.h5")))
    if not chosen:
        log.warning("%s is left out: its maps have no contrast", run)
        return
    fixed_ways = {f"{number:g}, set in advance": number for number in fixed}
    for way, threshold in {**chosen, **fixed_ways, BEST: best}.items():
        if round(threshold, 6) not in miou:
            raise ValueError(
                f"{run}/threshold_curve.csv has no threshold {threshold:g}, which {way} needs: add "
                "it to evaluation.thresholds and run the workflow again"
            )
        value = miou[round(threshold, 6)]
        yield {
            "results": run.parents[3].name,
            "classifier": run.parents[1].name,
            "random_seed": int(run.parent.name.removeprefix("s")),
            "localizer": run.name,
            "way": way,
            "threshold": threshold,
            "miou": value,
            "loss": 100 * (miou[best] - value),
        }


def thresholds_of(maps: Sequence[Path]) -> dict[str, float]:
    """Return the threshold of every way for the maps of some files; none without contrast."""
    ways = {way: import_module(f"wsss.thresholds.{way}").criterion for way in WAYS}
    choice = ThresholdChoice(ways)
    with MapReader(maps) as reader:
        for image_id in reader.image_ids:
            choice.update(reader.read(image_id).maps)
    found = {way: choice.best(way) for way in ways}
    return {way: threshold for way, threshold in found.items() if threshold is not None}


def loss_table(table: pd.DataFrame) -> str:
    """Return the means over runs in Markdown: by results folder, localizer and way."""
    lines = [
        "| results | localizer | runs | threshold | t | mIoU | points below the best: mean | worst "
        "| mean by random seed |",
        "|---|---|---:|---|---|---:|---:|---:|---|",
    ]
    for results, of_results in table.groupby("results", sort=False):
        parts = [("all", of_results), *of_results.groupby("localizer", sort=False)]
        for localizer, part in parts[1:] if len(parts) == 2 else parts:
            for way, own in part.groupby("way", sort=False):
                seeds = own.groupby("random_seed")["loss"].mean()
                low, high = own["threshold"].min(), own["threshold"].max()
                lines.append(
                    f"| {results} | {localizer} | {len(own)} | {way} "
                    f"| {low:g}{f' to {high:g}' if high > low else ''} "
                    f"| {100 * own['miou'].mean():.1f} | {own['loss'].mean():.2f} "
                    f"| {own['loss'].max():.2f} | {', '.join(f'{loss:.2f}' for loss in seeds)} |"
                )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
