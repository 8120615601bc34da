"""Joins the tables of many chains into one."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wsss.figures.selection import CHAIN_COLUMNS
from wsss.store.tables import read_table

METRIC_COLUMNS = (
    *CHAIN_COLUMNS, "random_seed", "stage", "split", "threshold_policy", "threshold",
    "threshold_in_config", "class_name", "metric", "value",
)  # fmt: skip
CURVE_COLUMNS = ("dataset", "classifier", "localizer", "random_seed", "split", "threshold", "miou")


def collect_tables(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of all tables, in the order of their paths.

    Args:
        paths: CSV files.
        columns: Columns that each must have.

    Raises:
        ValueError: There is no file, or one lacks a column.
    """
    if not paths:
        raise ValueError("there is no table to collect; name at least one chain in the config")
    tables = [read_table(path, columns) for path in sorted(map(Path, paths))]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def collect_training(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the rows of all training logs, with the chain's columns read off each path.

    Args:
        paths: `.../{dataset}/{classifier}/s{random_seed}/train.csv`, or further down the chain.

    Raises:
        ValueError: A path is no such path, or a file lacks a column.
    """
    parts = []
    for path in sorted(map(Path, paths)):
        table = read_table(path, ["step", "loss"])
        chain, random_seed = chain_of_path(path)
        links = dict(zip(CHAIN_COLUMNS, [*chain, "", "", "", "", ""][:5], strict=True))
        parts.append(table.assign(random_seed=random_seed, **links))
    if not parts:
        raise ValueError("there is no training log to collect; name at least one trained chain")
    joined = pd.concat(parts, ignore_index=True)
    front = [*CHAIN_COLUMNS, "random_seed"]
    return joined[front + [name for name in joined.columns if name not in front]]


def chain_of_path(path: Path) -> tuple[list[str], int]:
    """Return the links of a chain and the random seed from an artifact's path.

    Raises:
        ValueError: The path has no folder `s<random_seed>` below a data set and a classifier.
    """
    folders = Path(path).parent.parts
    places = [place for place, name in enumerate(folders) if re.fullmatch(r"s\d+", name)]
    if not places or places[-1] < 2:
        raise ValueError(
            f"{path} is not the path of a chain: expected "
            "{dataset}/{classifier}/s<random_seed>/..."
        )
    place = places[-1]
    return [*folders[place - 2 : place], *folders[place + 1 :]], int(folders[place][1:])
