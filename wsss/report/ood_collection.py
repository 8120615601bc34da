"""What collecting hard out-of-distribution (OoD) images took."""

import pandas as pd


def collection_table(
    summary: pd.DataFrame, ranking: pd.DataFrame, decisions: pd.DataFrame
) -> pd.DataFrame:
    """Return, per class and in all, how many candidates were ranked, decided, rejected and kept.

    The positive rate r is rejected / decided, and a person looks at n / (1 - r) candidates to keep
    n of them (W-OoD, section 3.1). A candidate ranked for two classes counts for both, and once in
    the last row.

    Args:
        summary: ranking_summary.csv; its columns other than `class_name` are taken as they are.
        ranking: Columns class_name, image_id.
        decisions: Columns image_id, decision (keep, reject).

    Raises:
        ValueError: A decision is neither keep nor reject.
    """
    unknown = set(decisions["decision"]) - {"keep", "reject"}
    if unknown:
        raise ValueError(
            f"decisions hold {sorted(unknown)[0]!r}; each is keep or reject, correct decisions.csv"
        )
    decided = dict(zip(decisions["image_id"], decisions["decision"], strict=True))
    counts = [
        {"class_name": name, **_counts(own["image_id"], decided)}
        for name, own in ranking.groupby("class_name", sort=False)
    ]
    columns = ["class_name", "decided", "rejected", "kept", "positive rate r", "to look at for 100"]
    table = summary.merge(pd.DataFrame(counts, columns=columns), on="class_name", how="left")
    table[columns[1:4]] = table[columns[1:4]].fillna(0).astype(int)
    # Sums over classes would count an image twice; the pool is the same for each class.
    total = {"class_name": "all classes", **_counts(ranking["image_id"].drop_duplicates(), decided)}
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True).rename(
        columns={"class_name": "class"}
    )


def deciders(decisions: pd.DataFrame) -> list[str]:
    """Return who decided on the candidates, as sentences for a table's header."""
    names = sorted(set(decisions["decided_by"]))
    return [
        "Decided by the oracle, which uses the true labels of the OoD images."
        if name == "oracle"
        else f"Decided by: {name}."
        for name in names
    ]


def _counts(image_ids: pd.Series, decided: dict[str, str]) -> dict[str, float]:
    found = [decided[image_id] for image_id in image_ids if image_id in decided]
    rejected = found.count("reject")
    rate = rejected / len(found) if found else float("nan")
    return {
        "decided": len(found),
        "rejected": rejected,
        "kept": len(found) - rejected,
        "positive rate r": rate,
        "to look at for 100": 100 / (1 - rate) if rate < 1 else float("nan"),
    }
