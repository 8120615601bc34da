"""Picks the rows of tidy tables that belong to named chains.

A chain is named by its path, `dataset/classifier/localizer[/refiner[/segmenter]]`. A chain that
goes on beyond a stage is cut there, so that one list of chains serves tables of every stage.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

CHAIN_COLUMNS = ("dataset", "classifier", "localizer", "refiner", "segmenter")
STAGE_DEPTH = {"seed": 3, "pseudo_mask": 4, "segmentation": 5, "segmentation_crf": 5}
STAGE_TITLES = {
    "seed": "seed",
    "pseudo_mask": "pseudo-mask",
    "segmentation": "segmentation",
    "segmentation_crf": "segmentation + CRF",
}


def chain_at_stage(chain: str, stage: str) -> str:
    """Return the part of a chain's name that identifies its artifact at a stage.

    Raises:
        KeyError: The stage is unknown.
        ValueError: The chain ends before the stage.
    """
    if stage not in STAGE_DEPTH:
        raise KeyError(f"unknown stage {stage!r}; known are {', '.join(STAGE_DEPTH)}")
    depth = STAGE_DEPTH[stage]
    parts = chain.split("/")
    if len(parts) < depth:
        raise ValueError(
            f"chain {chain!r} ends before the stage {stage!r}, which needs "
            f"{'/'.join(CHAIN_COLUMNS[:depth])}; name the missing links in the config"
        )
    return "/".join(parts[:depth])


def add_chain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column `chain`, joined from those chain columns that it has.

    Raises:
        ValueError: The table has no chain column.
    """
    columns = [name for name in CHAIN_COLUMNS if name in table.columns]
    if not columns:
        raise ValueError(
            f"the table has none of the columns {', '.join(CHAIN_COLUMNS)}; collect it with "
            "the chain of each row"
        )
    links = table[columns].fillna("").astype(str)
    chains = ["/".join(filter(None, row)) for row in links.itertuples(index=False, name=None)]
    return table.assign(chain=pd.Series(chains, index=table.index, dtype=object))


def only_seeds(table: pd.DataFrame, random_seeds: Sequence[int]) -> pd.DataFrame:
    """Return the rows of some random seeds.

    Raises:
        ValueError: The table has no row of one of them.
    """
    missing = sorted(set(random_seeds) - set(table["random_seed"]))
    if missing:
        raise ValueError(
            f"the table has no row of random seed {missing[0]}; run the chains with it"
        )
    return table[table["random_seed"].isin(list(random_seeds))]


def select_chains(table: pd.DataFrame, *, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of the named chains with a column `label`, chains in the order of `labels`.

    Args:
        table: Rows with chain columns.
        labels: Label of each chain; what a chain names beyond the table's columns is cut off.

    Raises:
        ValueError: A chain has no row; the sentence lists the chains that have.
    """
    named = add_chain(table)
    depth = sum(name in table.columns for name in CHAIN_COLUMNS)
    parts = []
    for chain, label in labels.items():
        chain = "/".join(chain.split("/")[:depth])
        rows = named[named["chain"] == chain]
        if rows.empty:
            known = ", ".join(sorted(set(named["chain"]))) or "none"
            raise ValueError(
                f"no row for chain {chain!r} ({label}); the table holds: {known}; correct the "
                "chain in the config or run the workflow for it"
            )
        parts.append(rows.assign(label=label))
    return pd.concat(parts, ignore_index=True) if parts else named.iloc[:0].assign(label="")


def select_stage(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    stage: str,
    split: str,
    threshold_policy: str,
) -> pd.DataFrame:
    """Return the metric rows of the chains at one stage, with a column `label`.

    Args:
        table: Tidy metrics.
        labels: Label of each chain; chains may go on beyond the stage.
        stage: seed, pseudo_mask, segmentation or segmentation_crf.
        split: Split on which the metrics were taken.
        threshold_policy: One of the table's policies (`fixed`, `ground_truth`, or a way that chose
            from the maps), or `config`: of each chain, the one that its config names. Rows of
            stages without a threshold (their policy is empty) are taken whatever it is.

    Raises:
        KeyError: The stage is unknown.
        ValueError: A chain has no such row, or has two for one random seed.
    """
    policy = table["threshold_policy"].fillna("")
    if threshold_policy == "config":
        wanted = (policy == "") | (table["threshold_in_config"] == 1)
    else:
        wanted = policy.isin([threshold_policy, ""])
    rows = table[(table["stage"] == stage) & (table["split"] == split) & wanted]
    rows = rows.assign(threshold_policy=policy[rows.index])
    picked = []
    for chain, label in labels.items():
        try:
            picked.append(select_chains(rows, labels={chain_at_stage(chain, stage): label}))
        except ValueError as error:
            raise ValueError(
                f"stage {stage!r}, split {split!r}, threshold policy {threshold_policy!r}: {error}"
            ) from error
    result = pd.concat(picked, ignore_index=True) if picked else rows.assign(label="")
    _refuse_twins(result)
    return result


def overall(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the rows of a metric over all classes.

    Raises:
        ValueError: A label of the rows lacks the metric.
    """
    picked = rows[(rows["class_name"] == "all") & (rows["metric"] == metric)]
    missing = [name for name in dict.fromkeys(rows["label"]) if name not in set(picked["label"])]
    if missing:
        raise ValueError(
            f"metric {metric!r} is missing for {', '.join(missing)}; known metrics are "
            f"{', '.join(sorted(set(rows['metric'])))}"
        )
    return picked


def protocol_note(rows: pd.DataFrame, stage: str, split: str, *, of: str) -> str:
    """Return what a picture's foot says of its rows: stage, split, random seeds, threshold.

    Args:
        rows: Of `select_stage`.
        stage: Stage at which the chains are compared.
        split: Split of the metrics.
        of: What stands for a mean and its whisker, "bar" or "dot".
    """
    seeds = rows["random_seed"].nunique()
    spread = "one random seed"
    if seeds > 1:
        spread = f"{of}: mean of {seeds} random seeds, whisker: ± 1 standard deviation"
        spread += ", dots: single seeds" if of == "bar" else ""
    chosen = (rows["threshold_policy"] == "ground_truth").any()
    return stage_note(stage, split, spread, chosen=chosen)


def stage_note(stage: str, split: str, shown: str, *, chosen: bool) -> str:
    """Return what a picture's foot says: stage and split, what is shown of them, threshold.

    Args:
        stage: Of the metrics.
        split: Of the metrics.
        shown: What marks stand for.
        chosen: Whether a threshold was chosen with ground truth.
    """
    note = "; threshold CHOSEN WITH GROUND TRUTH" if chosen else ""
    return f"{STAGE_TITLES[stage]}, {split} split; {shown}{note}"


def _refuse_twins(rows: pd.DataFrame) -> None:
    key = ["label", "random_seed", "class_name", "metric"]
    twins = rows[rows.duplicated(key)]
    if not twins.empty:
        first = twins.iloc[0]
        raise ValueError(
            f"two values of {first['metric']!r} ({first['class_name']}) for {first['label']!r}, "
            f"random seed {first['random_seed']}; the collected table holds a file twice or two "
            "thresholds of one policy"
        )
