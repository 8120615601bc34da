"""What is left to decide: a stop that says so, or a warning."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from wsss.ood.pruning import ClassAccount, class_accounts

log = logging.getLogger(__name__)

# Of many classes that lack something, a sentence names the first.
NAMED = 5


def check_decided(
    decisions: pd.DataFrame,
    ranking: pd.DataFrame,
    *,
    wanted_per_class: int | None,
    undecided: str,
    ood_set: str,
    folder: Path,
) -> None:
    """Check that a person is done with pruning, and log what will not be used.

    Done is, who kept `wanted_per_class` images of every class, or as many as it has.

    Args:
        decisions: Table of `check_manual`.
        ranking: Table of `rank_candidates`.
        wanted_per_class: Images to keep for each class; None if every candidate wants a decision.
        undecided: What becomes of undecided candidates while decisions are missing: "stop" raises
            an error, "leave_out" goes on without them, if anything is decided at all.
        ood_set: Name of the set, for the message.
        folder: Its folder, for the message.

    Raises:
        ValueError: Decisions are missing: how many, of which classes, and how they are taken.
    """
    outcome = dict(zip(decisions["image_id"], decisions["decision"], strict=True))
    ranked = {
        str(name): rows["image_id"].astype(str).tolist()
        for name, rows in ranking.groupby("class_name", sort=False)
    }
    accounts = class_accounts(ranked, outcome, wanted_per_class=wanted_per_class)
    image_ids = {image_id for ids in ranked.values() for image_id in ids}
    number = len(image_ids - outcome.keys())
    verb = "is" if number == 1 else "are"
    left = f"{number:,} of {len(image_ids):,} ranked candidates {verb} undecided"
    if missing := _missing(accounts, wanted_per_class):
        if undecided == "stop" or not outcome:
            raise ValueError(
                f"ood_sets.{ood_set}: {left}, {missing}: decide them with "
                f"`wsss review {folder}`"
                + (
                    f", or set ood_sets.{ood_set}.undecided to leave_out to train with what is kept"
                    if "keep" in outcome.values()
                    else ""
                )
            )
        log.warning("%s, %s: they are not used", left, missing)
    else:
        log.info("%s, and not wanted", left)
    _warn_of_few(accounts)


def _missing(accounts: Mapping[str, ClassAccount], wanted: int | None) -> str:
    """Say which classes want further decisions; nothing if none does."""
    open_ones = {name: account for name, account in accounts.items() if not account.done}
    if not open_ones:
        return ""
    of = f"{len(open_ones)} of {len(accounts)} classes ({_names(list(open_ones))})"
    if wanted is None:
        return f"in {of}"
    lack = "lacks its" if len(open_ones) == 1 else "lack their"
    expected = [account.to_check for account in open_ones.values()]
    known = [number for number in expected if number is not None]
    look = f" (about {sum(known):,} images to look at)" if len(known) == len(expected) else ""
    return f"and {of} {lack} {wanted:,}{look}"


def _names(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _warn_of_few(accounts: Mapping[str, ClassAccount]) -> None:
    """Name the classes whose candidates are all decided without keeping as many as wanted."""
    few = [
        f"{name} ({account.kept} of {account.wanted})"
        for name, account in accounts.items()
        if account.wanted is not None
        and account.kept < account.wanted
        and account.decided == account.ranked
    ]
    if few:
        log.warning(
            "all candidates are decided, and fewer are kept than wanted, of %s: offer more "
            "candidates, or lower the score threshold",
            _names(few),
        )
