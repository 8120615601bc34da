"""Results tables: tidy metrics in, mean and standard deviation over random seeds out.

The summary itself is the CSV table (fractions, one row per arm and metric, the protocol in
columns); Markdown, LaTeX and HTML are laid out from it in percent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wsss.figures.metric_names import format_value, metric_of
from wsss.figures.selection import STAGE_TITLES, chain_at_stage, overall, select_stage

SUMMARY_COLUMNS = (
    "label", "chain", "stage", "split", "threshold_policy", "threshold_low", "threshold_high",
    "ood_pruning", "saw_pixel_labels", "known_saliency", "initial_weights", "scales", "crf",
    "refiner_thresholds", "saliency", "drawn_images", "checkpoint", "num_images", "num_classes",
    "metric", "mean", "sd", "n", "expected",
)  # fmt: skip
# Columns whose text is each row's own.
ROW_TITLES = {
    "initial_weights": "Initial weights",
    "scales": "Scales",
    "crf": "CRF",
    "refiner_thresholds": "Refiner's thresholds",
    "saliency": "Saliency maps",
    "drawn_images": "Drawn images",
    "checkpoint": "Checkpoint",
}
# Columns that say that pixel labels had a part in a row.
LEAKS = {
    "saw_pixel_labels": "INITIAL WEIGHTS TRAINED ON PIXEL LABELS",
    "known_saliency": "SALIENCY KNOWN FROM PIXEL LABELS",
}
# Stages at which a segmenter is used.
SEGMENTED = ("segmentation", "segmentation_crf")
PRUNING_TITLES = {
    "oracle": "oracle (uses the true labels of the OoD images)",
    "manual": "by a person",
    "none": "none (candidates may hold objects)",
    "erase": "objects erased by the map",
    "random": "random OoD images instead of ranked ones",
    "random_hard": "random choice among the hard OoD images",
}


FROM_MAPS = "Threshold chosen from the maps, without ground truth, per random seed"
POLICY_TITLES = {
    "ground_truth": "THRESHOLD CHOSEN WITH GROUND TRUTH: best of a sweep per random seed, {}",
    "fixed": "Threshold policy: fixed {}, set in the config",
    "otsu": FROM_MAPS + ": Otsu's method, {}",
    "expected_iou": FROM_MAPS + ": highest expected IoU, {}",
}


def summarise(
    metrics: pd.DataFrame,
    *,
    chains: Mapping[str, str],
    stage: str,
    split: str,
    metric_names: Sequence[str],
    threshold_policy: str,
    pruning: Mapping[str, str],
    saw_pixel_labels: Collection[str],
    known_saliency: Collection[str],
    protocols: Mapping[str, Mapping[str, str]],
    expected: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Return mean, sample standard deviation and number of random seeds per arm and metric.

    Args:
        metrics: Tidy metrics (fractions).
        chains: Chain of each label, in the table's order; a chain may go on beyond the stage.
        stage: seed, pseudo_mask, segmentation or segmentation_crf.
        split: Split of the metrics.
        metric_names: Metrics, the table's columns.
        threshold_policy: `ground_truth` for the threshold that was chosen with it, another policy
            of the metrics, or `config` for the one that the config names for each chain.
        pruning: How the OoD images of a label were pruned; labels without OoD images are left out.
        saw_pixel_labels: Labels whose segmenter starts from weights that were trained on masks; it
            counts from the stage on at which the segmenter is used.
        known_saliency: Labels whose chain depends, up to the stage, on saliency maps that were made
            of pixel labels.
        protocols: Texts for the columns `ROW_TITLES` by label; "" where there is none.
        expected: The paper's value (fraction) by label and metric, for comparison; may be empty.

    Returns:
        One row per label and metric with the columns `SUMMARY_COLUMNS`; `sd` is NaN for one seed.

    Raises:
        KeyError: A stage or metric is unknown.
        ValueError: A chain or metric is missing from the table, or a label from `chains`.
    """
    for name in [*pruning, *saw_pixel_labels, *known_saliency, *protocols, *expected]:
        if name not in chains:
            raise ValueError(f"{name!r} is no row of this table; its rows are {', '.join(chains)}")
    for name in metric_names:
        metric_of(name)
    rows = [
        _row(
            select_stage(
                metrics,
                labels={chain: label},
                stage=stage,
                split=split,
                threshold_policy=threshold_policy,
            ),
            name,
            expected.get(label, {}).get(name, np.nan),
        )
        | {
            "label": label,
            "chain": chain_at_stage(chain, stage),
            "stage": stage,
            "split": split,
            "ood_pruning": pruning.get(label, ""),
            "saw_pixel_labels": label in saw_pixel_labels and stage in SEGMENTED,
            "known_saliency": label in known_saliency,
            **{column: protocols.get(label, {}).get(column, "") for column in ROW_TITLES},
        }
        for label, chain in chains.items()
        for name in metric_names
    ]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def _row(rows: pd.DataFrame, metric: str, expected: float) -> dict[str, object]:
    values = overall(rows, metric)["value"].dropna()
    own = overall(rows, metric)
    return {
        "threshold_policy": own["threshold_policy"].iloc[0],
        "threshold_low": own["threshold"].min(),
        "threshold_high": own["threshold"].max(),
        "num_images": _count(rows, "num_images"),
        "num_classes": _count(rows, "num_classes"),
        "metric": metric,
        "mean": values.mean(),
        "sd": values.std(ddof=1),
        "n": len(values),
        "expected": expected,
    }


def _count(rows: pd.DataFrame, name: str) -> float:
    values = rows.loc[(rows["metric"] == name) & (rows["class_name"] == "all"), "value"]
    return float(values.min()) if len(values) else float("nan")


def protocol(summary: pd.DataFrame) -> list[str]:
    """Return how the numbers came about, as sentences for a table's header."""
    first = summary.iloc[0]
    sentences = [
        f"Stage: {STAGE_TITLES[first['stage']]}. Split: {first['split']}{_images(summary)}."
    ]
    sentences.append(_threshold(summary))
    # Of what is nowhere known, the cell is empty.
    counts = sorted({int(n) for n in summary["n"] if n} or {0})
    if counts == [1]:
        sentences.append("One random seed, so no standard deviation.")
    else:
        number = " or ".join(map(str, counts))
        sentences.append(f"Mean ± sample standard deviation over {number} random seeds.")
    pruned = summary[summary["ood_pruning"] != ""].drop_duplicates("label")
    for method, own in pruned.groupby("ood_pruning", sort=False):
        title = PRUNING_TITLES.get(str(method), str(method))
        sentences.append(f"OoD pruning of {'; '.join(own['label'])}: {title}.")
    for column, title in LEAKS.items():
        leaked = list(dict.fromkeys(summary.loc[summary[column], "label"]))
        if leaked:
            sentences.append(f"{title}: {'; '.join(leaked)}. These rows are not weakly supervised.")
    sentences += [text for column in ROW_TITLES if (text := _by_row(summary, column))]
    if summary["expected"].notna().any():
        sentences.append('The columns "paper" are the papers\' figures, not measured here.')
    return sentences


def _by_row(summary: pd.DataFrame, column: str) -> str:
    """Return what a column says of the rows, once where it says the same; "" if it says nothing."""
    rows = summary[summary[column] != ""].drop_duplicates("label")
    groups = [(str(text), own["label"]) for text, own in rows.groupby(column, sort=False)]
    if not groups:
        return ""
    if len(groups) == 1 and len(rows) == summary["label"].nunique():
        return f"{ROW_TITLES[column]}: {groups[0][0]}."
    told = [f"{'; '.join(labels)}: {text}." for text, labels in groups]
    return f"{ROW_TITLES[column]} of {' Of '.join(told)}"


def _images(summary: pd.DataFrame) -> str:
    parts = []
    for column, noun in (("num_images", "images"), ("num_classes", "classes with background")):
        counts = sorted(set(summary[column].dropna().astype(int)))
        if counts:
            parts.append(f"{'–'.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} {noun}")
    return f" ({', '.join(parts)})" if parts else ""


def _threshold(summary: pd.DataFrame) -> str:
    named = summary[summary["threshold_policy"] != ""]
    if named.empty:
        return (
            "No threshold is swept at this stage; those of earlier stages are as the config says: "
            "numbers, or ways that use no ground truth."
        )
    sentences = []
    for policy, own in named.groupby("threshold_policy", sort=False):
        low, high = own["threshold_low"].min(), own["threshold_high"].max()
        value = f"t = {low:.3g}" if low == high else f"t = {low:.3g} to {high:.3g}"
        title = POLICY_TITLES[str(policy)].format(value)
        rows = "" if len(own) == len(summary) else f" of {'; '.join(own['label'].unique())}"
        sentences.append(f"{title}{rows}.")
    return " ".join(sentences)


@dataclass(frozen=True)
class Cell:
    """One laid-out number: its text, its spread (may be empty), and whether it is the best."""

    text: str
    spread: str = ""
    best: bool = False


@dataclass(frozen=True)
class Grid:
    """A laid-out table: column titles (the first belongs to the labels) and rows of cells."""

    header: list[str]
    rows: list[list[Cell]]


def layout(summary: pd.DataFrame) -> Grid:
    """Return the summary as a grid, one row per label and one column per metric.

    The best mean of a column is marked, with all that equal it in the digits shown; a column with
    values of a paper gets a second column for them.
    """
    labels = list(dict.fromkeys(summary["label"]))
    header, columns = [""], [[Cell(label) for label in labels]]
    for name in dict.fromkeys(summary["metric"]):
        own = summary[summary["metric"] == name].set_index("label").loc[labels]
        header.append(metric_of(name).heading)
        columns.append(_column(name, own))
        if own["expected"].notna().any():
            header.append("paper")
            columns.append([Cell(format_value(name, value)) for value in own["expected"]])
    return Grid(header, [list(row) for row in zip(*columns, strict=True)])


def _column(name: str, own: pd.DataFrame) -> list[Cell]:
    texts = [format_value(name, value) for value in own["mean"]]
    better = metric_of(name).better
    best = ""
    if better != "neither" and own["mean"].notna().any() and len(own) > 1:
        best = texts[int(np.nanargmax(own["mean"] * (1 if better == "higher" else -1)))]
    return [
        Cell(text, "" if np.isnan(sd) else format_value(name, sd), text == best)
        for text, sd in zip(texts, own["sd"], strict=True)
    ]
