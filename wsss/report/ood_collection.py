"""What collecting hard out-of-distribution (OoD) images took."""

import pandas as pd

WANTED = 100
TITLES = {
    "class_name": "class",
    "num_candidates": "candidates",
    "num_above_threshold": "p(c) ≥ threshold",
    "num_kept": "ranked",
    "num_checked": "looked at",
    "num_rejected": "rejected",
    "positive_rate": "positive rate r",
}


def collection_table(
    ranking_summary: pd.DataFrame, decisions_summary: pd.DataFrame
) -> pd.DataFrame:
    """Return, per class and in all, how many candidates were ranked, looked at and rejected.

    The last column is what a person looks at to keep 100 of them, 100 / (1 - r), with the positive
    rate r = rejected / looked at (W-OoD, section 3.1).

    Args:
        ranking_summary: Columns class_name, num_candidates, num_above_threshold, num_kept.
        decisions_summary: Columns class_name, num_checked, num_rejected, positive_rate; its row
            "all" counts an image once that was ranked for two classes, and stands last here.
    """
    own = ["class_name", "num_checked", "num_rejected", "positive_rate"]
    joined = ranking_summary.merge(decisions_summary[own], on="class_name", how="outer", sort=False)
    order = {name: place for place, name in enumerate([*ranking_summary["class_name"], "all"])}
    joined = joined.sort_values("class_name", key=lambda names: names.map(order), ignore_index=True)
    joined = joined[[name for name in TITLES if name in joined.columns]]
    kept_share = (1 - joined["positive_rate"]).where(lambda share: share > 0)
    joined[f"to look at for {WANTED}"] = WANTED / kept_share
    joined["class_name"] = joined["class_name"].replace("all", "all classes")
    return joined.rename(columns=TITLES)


def deciders(decisions: pd.DataFrame) -> list[str]:
    """Return who decided on the candidates, as sentences for a table's header."""
    sentences = {
        "oracle": "Decided by the oracle, which uses the true labels of the OoD images.",
        "none": "Nobody looked: all ranked candidates are kept, also those that hold an object.",
        "manual": "Decided by a person.",
    }
    names = sorted(set(decisions["decided_by"]))
    return [sentences.get(name.split(" ")[0], f"Decided by: {name}.") for name in names]
