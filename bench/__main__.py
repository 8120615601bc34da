"""Run the benchmarks: `python -m bench [PART ...] [--repeats N] [--output FOLDER]`."""

import argparse
from pathlib import Path

import pandas as pd
import torch

from bench.chain import measure_chain
from bench.compare import measure
from bench.machine import describe_machine
from bench.planning import measure_planning
from bench.projection import project
from bench.review import measure_review, review_table
from bench.rows import all_comparisons, find_comparison
from bench.scaling import measure_scaling
from bench.table import (
    chain_table,
    comparison_table,
    draw_ratios,
    draw_scaling,
    planning_line,
    projection_table,
    scaling_table,
    throughput_table,
)
from bench.throughput import measure_throughput
from wsss.progress import progress

PARTS = ("comparisons", "scaling", "throughput", "planning", "chain", "projection", "review")


def main() -> None:
    """Measure part after part; each writes its table as soon as it is done."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rows", nargs="+", default=[], help="only these rows of the comparisons")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each way")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--output", type=Path, default=Path("results-bench"))
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    machine = f"{describe_machine()}; {options.threads} threads"
    for part in options.parts or PARTS:
        text = MEASURE[part](options, machine)
        (options.output / f"{part}.md").write_text(f"{machine}\n\n{text}")


def _comparisons(options: argparse.Namespace, machine: str) -> str:
    chosen = [*map(find_comparison, options.rows)] or [*all_comparisons()]
    bar = progress(chosen, total=len(chosen), description="comparisons", unit="rows")
    table = pd.DataFrame([measure(row, repeats=options.repeats) for row in bar])
    path = options.output / "comparisons.csv"
    if options.rows and path.exists():
        # Some rows anew: the others stay.
        earlier = pd.read_csv(path)
        table = pd.concat([earlier[~earlier["row"].isin(table["row"])], table])
        order = [row.name for row in all_comparisons()]
        table = table.sort_values("row", key=lambda names: names.map(order.index))
    table.to_csv(path, index=False)
    draw_ratios(options.output / "comparisons.png", table, machine)
    return comparison_table(table)


def _scaling(options: argparse.Namespace, machine: str) -> str:
    table = measure_scaling()
    table.to_csv(options.output / "scaling.csv", index=False)
    draw_scaling(options.output / "scaling.png", table, machine)
    return scaling_table(table)


def _throughput(options: argparse.Namespace, _: str) -> str:
    table = measure_throughput()
    table.to_csv(options.output / "throughput.csv", index=False)
    return throughput_table(table)


def _planning(_: argparse.Namespace, __: str) -> str:
    return planning_line(**measure_planning())


def _chain(options: argparse.Namespace, _: str) -> str:
    table = measure_chain()
    table.to_csv(options.output / "chain.csv")
    return chain_table(table)


def _projection(options: argparse.Namespace, _: str) -> str:
    measured = {}
    for part in ("throughput", "comparisons"):
        path = options.output / f"{part}.csv"
        if not path.exists():
            raise SystemExit(f"{path} is missing: run `python -m bench {part}` first")
        measured[part] = pd.read_csv(path)
    return projection_table(project(**measured))


def _review(options: argparse.Namespace, _: str) -> str:
    return review_table(measure_review(options.repeats))


MEASURE = {
    "comparisons": _comparisons,
    "scaling": _scaling,
    "throughput": _throughput,
    "planning": _planning,
    "chain": _chain,
    "projection": _projection,
    "review": _review,
}

main()
