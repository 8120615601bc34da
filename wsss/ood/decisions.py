"""Decisions on ranked candidates: which of them are kept as out-of-distribution images."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from wsss.ood.pruning import wilson_interval
from wsss.ood.rank import annotation_cost

log = logging.getLogger(__name__)

DECISION_COLUMNS = ("image_id", "decision", "decided_by")
WORDS = ("keep", "reject")


def decide_by_oracle(
    ranking: pd.DataFrame, true_labels: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return decisions from known labels: an image with any foreground object is rejected.

    This stands in for the person of W-OoD sec. 3.1, and uses true image labels of the candidates.
    The column decided_by says so, for the tables that are made from them. An image whose true
    labels nobody noted stays undecided and will not be used; a warning says how many there are.

    Args:
        ranking: table of `rank_candidates`.
        true_labels: image id -> names of the foreground classes in the image (empty if none);
            images of which nothing is known are absent.

    Raises:
        ValueError: if nothing is known of any ranked image.
    """
    ranked = _unique_ids(ranking)
    known = [image_id for image_id in ranked if image_id in true_labels]
    if ranked and not known:
        raise ValueError(
            f"the true labels of none of the {len(ranked)} ranked images are known, so the oracle "
            "cannot decide: complete the ground truth, or take an OoD set of kind manual or none"
        )
    if unknown := len(ranked) - len(known):
        log.warning(
            "the true labels of %d of %d ranked images are not known: they are left undecided and "
            "will not be used",
            unknown,
            len(ranked),
        )
    decisions = ["reject" if true_labels[image_id] else "keep" for image_id in known]
    return _table(known, decisions, "oracle (true image labels)")


def keep_all(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return decisions that keep every ranked image (no pruning, dissertation Table 4.6)."""
    image_ids = _unique_ids(ranking)
    return _table(image_ids, ["keep"] * len(image_ids), "none")


def check_manual(decisions: pd.DataFrame, ranking: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Return a person's decisions, checked, without the images left undecided.

    An image with an empty decision, or without a row, is undecided and will not be used. So is one
    whose id is mistyped: a decision on an image that is not ranked is left out, with a warning that
    says how many there are, for it stays true when the classifier and with it the ranking changes.
    An empty or absent column decided_by becomes "manual".

    Args:
        decisions: table with columns image_id and decision (keep or reject), optionally decided_by.
        ranking: table of `rank_candidates`.
        where: the decisions' file, for errors.

    Raises:
        ValueError: naming file and row (as counted in a CSV file, the header is row 1) of a second
            decision on one image, or another word than keep or reject; or if there are rows, and
            not one of a ranked image.
    """
    missing = [name for name in ("image_id", "decision") if name not in decisions.columns]
    if missing:
        raise ValueError(
            f"{where} has no column {missing[0]} but {list(decisions.columns)}: "
            f"write a header line {','.join(DECISION_COLUMNS)}"
        )
    known = set(_unique_ids(ranking))
    image_ids = decisions["image_id"].astype(str).tolist()
    words = decisions["decision"].fillna("").astype(str).str.strip().tolist()
    first_row: dict[str, int] = {}
    for row, (image_id, word) in enumerate(zip(image_ids, words, strict=True), start=2):
        _check_row(f"{where}, row {row}", image_id, word, first_row)
        first_row[image_id] = row
    _check_ranked(image_ids, known, where)
    by = _decided_by(decisions)
    lines = zip(image_ids, words, by, strict=True)
    rows = [line for line in lines if line[1] and line[0] in known]
    return pd.DataFrame(rows, columns=list(DECISION_COLUMNS), dtype=str)


def decision_summary(
    decisions: pd.DataFrame, ranking: pd.DataFrame, *, wanted: int | None
) -> pd.DataFrame:
    """Return how many ranked images were checked and rejected, and what that costs.

    One row for "all" (each image once), then one per ranked class: class_name, num_ranked,
    num_checked, num_rejected, positive_rate r = rejected / checked with its 95 % Wilson interval,
    positive_rate_low and positive_rate_high (NaN if none was checked), and annotation_cost, the
    images to check for `wanted` kept ones, n / (1 - r) (W-OoD sec. 3.1). `wanted` None stands for
    the images that were kept; the cost is then the number checked.
    """
    decided = dict(zip(decisions["image_id"], decisions["decision"], strict=True))
    groups = [("all", _unique_ids(ranking))]
    groups += [
        (str(name), list(rows["image_id"]))
        for name, rows in ranking.groupby("class_name", sort=False)
    ]
    return pd.DataFrame([_summary_row(name, ids, decided, wanted) for name, ids in groups])


def _summary_row(
    name: str, image_ids: Sequence[str], decided: Mapping[str, str], wanted: int | None
) -> dict[str, str | int | float]:
    words = [decided[image_id] for image_id in image_ids if image_id in decided]
    rejected = words.count("reject")
    rate = low = high = cost = float("nan")
    if words:
        rate = rejected / len(words)
        low, high = wilson_interval(rejected, len(words))
        cost = float(len(words)) if wanted is None else annotation_cost(wanted, rate)
    return {
        "class_name": name,
        "num_ranked": len(image_ids),
        "num_checked": len(words),
        "num_rejected": rejected,
        "positive_rate": rate,
        "positive_rate_low": low,
        "positive_rate_high": high,
        "annotation_cost": cost,
    }


def _unique_ids(ranking: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(ranking["image_id"].astype(str)))


def _table(image_ids: Sequence[str], decisions: Sequence[str], decided_by: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": pd.Series(image_ids, dtype=str),
            "decision": pd.Series(decisions, dtype=str),
            "decided_by": pd.Series([decided_by] * len(image_ids), dtype=str),
        }
    )


def _decided_by(decisions: pd.DataFrame) -> list[str]:
    if "decided_by" not in decisions.columns:
        return ["manual"] * len(decisions)
    names = decisions["decided_by"].fillna("").astype(str).str.strip()
    return [name or "manual" for name in names]


def _check_ranked(image_ids: Sequence[str], known: set[str], where: str) -> None:
    """Tell how many of a person's rows are of images that are not ranked."""
    others = [image_id for image_id in image_ids if image_id not in known]
    if not others:
        return
    if len(others) == len(image_ids):
        raise ValueError(
            f"{where} has no row of a ranked image (of {len(others)}, the first is of "
            f"{others[0]}): name the file of the decisions on this data set's candidates"
        )
    log.warning(
        "%s: %d of %d rows are of images that are not ranked, %s for one; they are left out",
        where,
        len(others),
        len(image_ids),
        others[0],
    )


def _check_row(where: str, image_id: str, word: str, first_row: Mapping[str, int]) -> None:
    if image_id in first_row:
        raise ValueError(
            f"{where}: image {image_id} was decided in row {first_row[image_id]} "
            "already; leave one of them"
        )
    if word and word not in WORDS:
        raise ValueError(
            f"{where}: {word!r} for image {image_id} is not a decision; "
            f"write {' or '.join(WORDS)}, or nothing if undecided"
        )
