"""What figures of a metric over options share: their panels, and runs at the options' values."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsss.figures.metric_names import metric_of, scale
from wsss.figures.selection import overall, select_stage, stage_note
from wsss.figures.style import new_figure

# Options that are numbers of OoD images: of the set, and of those that a classifier draws.
OOD_IMAGES = ("ood_sets.size", "classifiers.ood_images")


def metric_panels(metrics: Sequence[str], option: str) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and the panel of each metric, one below the other over an option's values."""
    figure = new_figure(7.4, 0.45 + 2.6 * len(metrics))
    grid = figure.subplots(len(metrics), 1, squeeze=False, sharex=True)[:, 0]
    for axes, metric in zip(grid, metrics, strict=True):
        axes.set_title(heading(metric))
    grid[-1].set_xlabel(axis_title(option))
    return figure, dict(zip(metrics, grid, strict=True))


def runs_at(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    values: Mapping[str, Mapping[str, Any]],
    by: Sequence[str],
    stage: str,
    split: str,
    threshold_policy: str,
    metric: str,
) -> pd.DataFrame:
    """Return a metric of every run beside the values of options.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain.
        values: Value of each chain, a number or a word, by option.
        by: The options.
        stage: As in `select_stage`.
        split: As in `select_stage`.
        threshold_policy: As in `select_stage`.
        metric: Over all classes.

    Returns:
        One row per chain and random seed, chains in the order of `labels`, with the columns 0, 1,
        ... of the values of `by`, `shown`, the metric as it is shown, and `chosen`, whether the
        threshold was chosen with ground truth.

    Raises:
        ValueError: A chain or the metric is missing.
    """
    rows = overall(
        select_stage(
            table, labels=labels, stage=stage, split=split, threshold_policy=threshold_policy
        ),
        metric,
    )
    chains = {label: chain for chain, label in labels.items()}
    columns: dict[int | str, Any] = {
        number: [values[option][chains[name]] for name in rows["label"]]
        for number, option in enumerate(by)
    }
    columns["shown"] = scale(metric) * rows["value"].to_numpy()
    columns["chosen"] = (rows["threshold_policy"] == "ground_truth").to_numpy()
    return pd.DataFrame(columns)


def mean_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Return mean, standard deviation and number of the runs at the same values of options.

    Args:
        runs: Of `runs_at`; chains of the same values count as runs of one.

    Returns:
        Columns 0, 1, ... as there, `mean` and `std` (0 of one run) as they are shown, `count`, and
        `chosen`, whether a threshold was chosen with ground truth; in the order of the runs.
    """
    groups = runs.groupby([name for name in runs if isinstance(name, int)], sort=False)
    found = groups["shown"].agg(["mean", "std", "count"]).fillna({"std": 0.0})
    found["chosen"] = groups["chosen"].any()
    return found.reset_index()


def axis_title(option: str) -> str:
    """Return what an axis is called: the last key of an option's path, or what that stands for.

    Labels speak for themselves.
    """
    if option == "label":
        return ""
    if option in OOD_IMAGES:
        return "OoD images"
    return option.rpartition(".")[2].replace("_", " ")


def in_order(values: Sequence[Any]) -> list[Any]:
    """Return the different values in order: numbers by size, words as they come."""
    unique = list(dict.fromkeys(values))
    return sorted(unique) if are_numbers(unique) else unique


def are_numbers(values: Sequence[Any]) -> bool:
    """Return whether all values are numbers."""
    return all(isinstance(value, int | float) for value in values)


def value_text(value: Any) -> str:
    """Return a value as an axis shows it."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def heading(metric: str) -> str:
    """Return the title of a metric, and which way is better where lower is."""
    own = metric_of(metric)
    return f"{own.heading}, lower is better" if own.better == "lower" else own.heading


def explain(points: pd.DataFrame, stage: str, split: str) -> str:
    """Return of what a metric was taken, for the foot of a figure."""
    runs = int(points["count"].max())
    spread = f"mean ± 1 sd of {runs} random seeds" if runs > 1 else "one random seed"
    return stage_note(stage, split, spread, chosen=points["chosen"].any())
