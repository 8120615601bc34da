"""What collecting hard out-of-distribution (OoD) images took."""

import math

import pandas as pd

WANTED = 100
SUMMARY_OF_DECISIONS = [
    *("class_name", "num_checked", "num_rejected"),
    *("positive_rate", "positive_rate_low", "positive_rate_high"),
]
ANNOTATORS = [
    *("annotator", "num_checked", "num_rejected", "positive_rate", "num_settled", "seconds"),
]
AGREEMENT = ["first", "second", "num_both", "num_differ", "num_settled", "kappa"]
TITLES = {
    "class_name": "class",
    "annotator": "annotator",
    "num_candidates": "candidates",
    "num_above_threshold": "p(c) ≥ threshold",
    "num_kept": "ranked",
    "num_checked": "looked at",
    "num_rejected": "rejected",
    "positive_rate": "positive rate r",
    "rate": "r (95 % interval)",
    "num_settled": "settled",
    "per_decision": "seconds per decision",
    "time": "time spent (h:mm:ss)",
}


def collection_table(
    ranking_summary: pd.DataFrame, decisions_summary: pd.DataFrame
) -> pd.DataFrame:
    """Return, per class and in all, how many candidates were ranked, looked at and rejected.

    The last column is what a person looks at to keep 100 of them, 100 / (1 - r), with the positive
    rate r = rejected / looked at (W-OoD, section 3.1).

    Args:
        ranking_summary: Columns class_name, num_candidates, num_above_threshold, num_kept.
        decisions_summary: Columns `SUMMARY_OF_DECISIONS`; its row "all" counts an image once that
            was ranked for two classes, and stands last here.
    """
    own = decisions_summary[SUMMARY_OF_DECISIONS]
    joined = ranking_summary.merge(own, on="class_name", how="outer", sort=False)
    order = {name: place for place, name in enumerate([*ranking_summary["class_name"], "all"])}
    joined = joined.sort_values("class_name", key=lambda names: names.map(order), ignore_index=True)
    rates = ("positive_rate", "positive_rate_low", "positive_rate_high")
    joined["rate"] = [_rate(*row) for row in zip(*(joined[name] for name in rates), strict=True)]
    kept_share = (1 - joined["positive_rate"]).where(lambda share: share > 0)
    joined["class_name"] = joined["class_name"].replace("all", "all classes")
    shown = [name for name in TITLES if name in joined.columns and name != "positive_rate"]
    table = joined[shown].rename(columns=TITLES)
    return table.assign(**{f"to look at for {WANTED}": WANTED / kept_share})


def _rate(rate: float, low: float, high: float) -> str:
    return "–" if math.isnan(rate) else f"{rate:.2f} ({low:.2f}–{high:.2f})"


def deciders(decisions: pd.DataFrame) -> list[str]:
    """Return who decided on the candidates, as sentences for a table's header."""
    sentences = {
        "oracle": "Decided by the oracle, which uses the true labels of the OoD images.",
        "none": "Nobody looked: all ranked candidates are kept, also those that hold an object.",
        "manual": "Decided by a person.",
    }
    cells = sorted(set(decisions["decided_by"]))
    found = [sentences[cell.split(" ")[0]] for cell in cells if cell.split(" ")[0] in sentences]
    others = [cell for cell in cells if cell.split(" ")[0] not in sentences]
    # Of several who agree, all names stand in one cell.
    names = sorted({name.strip() for cell in others for name in cell.split(",")} - {""})
    return [*found, f"Decided by {', '.join(names)}."] if names else found


def pruning_table(annotators: pd.DataFrame) -> pd.DataFrame:
    """Return what each person did, and how long that took where it is known.

    Args:
        annotators: Columns `ANNOTATORS`, one row each.
    """
    table = annotators.copy()
    # Where nobody looked at a clock, there is no time, or none at all.
    seconds = table["seconds"].astype(float).where(lambda seconds: seconds > 0)
    decided = table["num_checked"] + table["num_settled"]
    table["per_decision"] = seconds / decided.where(decided > 0)
    table["time"] = ["–" if math.isnan(own) else duration(own) for own in seconds]
    return table[[name for name in TITLES if name in table.columns]].rename(columns=TITLES)


def duration(seconds: float) -> str:
    """Return a time as h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def agreement_sentences(agreement: pd.DataFrame) -> list[str]:
    """Return how well each two people agree, a sentence for each pair.

    Args:
        agreement: Columns `AGREEMENT`, one row a pair.
    """
    return [_agreement_sentence(pair) for pair in agreement.to_dict("records")]


def _agreement_sentence(pair: dict) -> str:
    names, both, differ = (
        f"{pair['first']} and {pair['second']}",
        pair["num_both"],
        pair["num_differ"],
    )
    images = "1 image" if both == 1 else f"{both:,} images"
    if math.isnan(pair["kappa"]):
        return (
            f"{names} say one and the same of {images} that both decided, all kept or all "
            "rejected, of which Cohen's kappa is not defined."
        )
    said = f"Cohen's kappa of {names} is {pair['kappa']:.2f} on {images} that both decided"
    if not differ:
        return f"{said}; they never differ."
    settled = f"a further look settled {pair['num_settled']:,}"
    return f"{said}; of {differ:,} on which they differ, {settled}."
