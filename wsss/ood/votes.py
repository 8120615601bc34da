"""Votes on candidates: who decided what, what that took each of them, and how well they agree."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from wsss.ood.pruning import agreements

ANNOTATOR_COLUMNS = (
    *("annotator", "num_checked", "num_rejected", "positive_rate", "num_settled", "seconds"),
)
AGREEMENT_COLUMNS = ("first", "second", "num_both", "num_differ", "num_settled", "kappa")
WITHDRAWN = "-"
# Names hold no other characters, so that what separates them from the rest is plain.
VOTE = re.compile(
    r"(?P<annotator>[\w .-]+?)(?P<settles> settles)?: (?P<word>keep|reject|-)"
    r"( \((?P<seconds>\d+(\.\d+)?) s\))?"
)


@dataclass(frozen=True)
class Vote:
    """What one annotator said of one image.

    `decision` is keep, reject, or nothing where it was withdrawn; `seconds` is the time that it
    took, NaN if unknown; `settles` says that it is the last word where others disagree.
    """

    annotator: str
    decision: str
    seconds: float
    settles: bool


def parse_votes(text: str, *, where: str) -> list[Vote]:
    """Return the votes of a cell of a decisions file.

    They look like `anna: keep (1.4 s); ben: - (0.8 s); carol settles: keep (3.1 s)`: ben's is
    withdrawn. Seconds may be left out.

    Args:
        text: The cell.
        where: File and row, for errors.

    Raises:
        ValueError: It is no such text, or somebody votes twice.
    """
    found: dict[tuple[str, bool], Vote] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        match = VOTE.fullmatch(part)
        if match is None:
            raise ValueError(
                f"{where}: {part!r} is no vote; write NAME: keep, reject or - (withdrawn), with "
                "the seconds, as in anna: keep (1.4 s), and ; between votes"
            )
        vote = Vote(
            match["annotator"],
            "" if match["word"] == WITHDRAWN else match["word"],
            float(match["seconds"] or "nan"),
            bool(match["settles"]),
        )
        if found.setdefault((vote.annotator, vote.settles), vote) is not vote:
            raise ValueError(f"{where}: {vote.annotator} votes twice; leave one of the votes")
    return list(found.values())


def votes_on(
    decisions: pd.DataFrame, image_ids: Sequence[str], *, where: str
) -> dict[str, list[Vote]]:
    """Return the votes on those of the images that a decisions file has a row for.

    A row without votes stands for one of each annotator that its column decided_by names.

    Args:
        decisions: Columns image_id and decision, optionally votes and decided_by.
        image_ids: The images that are asked for.
        where: The decisions' file, for errors.

    Raises:
        ValueError: As `parse_votes`, naming file and row.
    """
    wanted, found = set(image_ids), {}
    ids = decisions["image_id"].astype(str)
    cells = [_texts(decisions, name) for name in ("decision", "votes", "decided_by")]
    for row, (image_id, decision, votes, by) in enumerate(zip(ids, *cells, strict=True), start=2):
        if image_id not in wanted:
            continue
        found[image_id] = parse_votes(votes, where=f"{where}, row {row}")
        if not votes and decision:
            names = filter(None, map(str.strip, by.split(",")))
            found[image_id] = [
                Vote(name, decision, float("nan"), settles=False)
                for name in dict.fromkeys(names) or ["manual"]
            ]
    return found


def annotator_table(votes: Mapping[str, Sequence[Vote]]) -> pd.DataFrame:
    """Return what each annotator did, one row each, by name.

    Columns: annotator; num_checked, the images that they decided; num_rejected of these;
    positive_rate, their share (NaN without any); num_settled, the disagreements of others that
    they settled; seconds, the time of all their votes, withdrawn ones as well (NaN if unknown).

    Args:
        votes: By image id, of `votes_on`.
    """
    rows = []
    for name in sorted({vote.annotator for own in votes.values() for vote in own}):
        own = [vote for votes_of_one in votes.values() for vote in votes_of_one]
        own = [vote for vote in own if vote.annotator == name]
        words = [vote.decision for vote in own if vote.decision and not vote.settles]
        rejected = words.count("reject")
        rate = rejected / len(words) if words else float("nan")
        settled = sum(vote.settles and bool(vote.decision) for vote in own)
        seconds = pd.Series([vote.seconds for vote in own], dtype=float).sum(min_count=1)
        rows.append((name, len(words), rejected, rate, settled, float(seconds)))
    return pd.DataFrame(rows, columns=list(ANNOTATOR_COLUMNS))


def agreement_table(votes: Mapping[str, Sequence[Vote]]) -> pd.DataFrame:
    """Return how well each two annotators agree who both decided an image, one row a pair.

    Columns: first and second, their names; num_both, the images that both decided; num_differ, on
    how many of these they differ; num_settled, how many of those a further look settled; kappa,
    Cohen's (NaN where it is undefined).

    Args:
        votes: By image id, of `votes_on`.
    """
    settled = {
        image_id
        for image_id, own in votes.items()
        if any(vote.settles and vote.decision for vote in own)
    }
    words: dict[str, dict[str, str]] = {}
    for image_id, own in votes.items():
        for vote in own:
            if vote.decision and not vote.settles:
                words.setdefault(vote.annotator, {})[image_id] = vote.decision
    rows = [
        (
            pair.first,
            pair.second,
            pair.both,
            len(pair.differ),
            len(settled & set(pair.differ)),
            pair.kappa,
        )
        for pair in agreements(words)
    ]
    table = pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))
    return table.astype({"kappa": float})


def _texts(table: pd.DataFrame, column: str) -> list[str]:
    """The cells of a column that may be absent."""
    if column not in table.columns:
        return [""] * len(table)
    return table[column].fillna("").astype(str).str.strip().tolist()
