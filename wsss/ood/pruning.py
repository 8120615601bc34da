"""How far a person has come with pruning candidates, and how well several agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, sqrt

# Two-sided 95 % of the normal distribution.
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class ClassAccount:
    """How far the pruning of one class has come.

    Attributes:
        ranked: Candidates of the class.
        decided: Those that are kept or rejected.
        kept: Those that are kept.
        rejected: Those that are rejected.
        rate: Positive rate r = rejected / decided (W-OoD sec. 3.1); None before the first decision.
        rate_low: Lower end of r's 95 % Wilson interval, None likewise.
        rate_high: Upper end of it, None likewise.
        wanted: Images to keep; None where every candidate wants a decision.
        to_check: Images still to look at, as far as r tells: at most those that are undecided.
            None where r does not tell.
        enough: Whether the candidates may do for `wanted`: false once even the lower end of r's
            interval leaves too few.
        done: Whether `wanted` images are kept, or no candidate is undecided.
    """

    ranked: int
    decided: int
    kept: int
    rejected: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    wanted: int | None
    to_check: int | None
    enough: bool
    done: bool


@dataclass(frozen=True)
class Agreement:
    """How well two people agree on the images that both decided.

    Attributes:
        first: One person's name.
        second: The other's.
        both: Number of these images.
        differ: Ids of those on which they differ.
        kappa: Cohen's; None where it is undefined.
    """

    first: str
    second: str
    both: int
    differ: tuple[str, ...]
    kappa: float | None


def class_account(ranked: int, kept: int, rejected: int, *, wanted: int | None) -> ClassAccount:
    """Return how far the pruning of one class has come.

    Args:
        ranked: Candidates of the class.
        kept: Those of them that are kept.
        rejected: Those of them that are rejected.
        wanted: Images to keep; None if every candidate wants a decision.

    Raises:
        ValueError: More candidates are decided than ranked.
    """
    decided = kept + rejected
    undecided = ranked - decided
    if undecided < 0:
        raise ValueError(f"{kept} kept and {rejected} rejected of {ranked} candidates: too many")
    rate, low, high = None, None, None
    if decided:
        rate = rejected / decided
        low, high = wilson_interval(rejected, decided)
    reached = wanted is not None and kept >= wanted
    return ClassAccount(
        ranked=ranked,
        decided=decided,
        kept=kept,
        rejected=rejected,
        rate=rate,
        rate_low=low,
        rate_high=high,
        wanted=wanted,
        to_check=_to_check(wanted, kept, undecided, rate),
        enough=wanted is None or kept + undecided * (1 - (low or 0.0)) >= wanted,
        done=reached or not undecided,
    )


def class_accounts(
    ranked: Mapping[str, Sequence[str]],
    decisions: Mapping[str, str],
    *,
    wanted_per_class: int | None,
) -> dict[str, ClassAccount]:
    """Return how far the pruning of each class has come.

    Args:
        ranked: The ids of each class's candidates; one image may be a candidate of several.
        decisions: "keep" or "reject" by image id; undecided images are absent.
        wanted_per_class: Images to keep for each class; None if every candidate wants a decision.
    """
    counts = {name: Counter(map(decisions.get, ids)) for name, ids in ranked.items()}
    return {
        name: class_account(
            len(ids), counts[name]["keep"], counts[name]["reject"], wanted=wanted_per_class
        )
        for name, ids in ranked.items()
    }


def images_to_check(wanted: int, kept: int, positive_rate: float | None) -> int | None:
    """Return how many images a person still looks at on average until `wanted` are kept.

    This is (wanted - kept) / (1 - r), rounded up (W-OoD sec. 3.1, for what is left of `wanted`).
    None where the rate r is not known, or where every image is rejected (r = 1).
    """
    if kept >= wanted:
        return 0
    if positive_rate is None or positive_rate >= 1:
        return None
    # 60 / (1 - 0.4) is a little above 100 in floating point.
    return ceil((wanted - kept) / (1 - positive_rate) - 1e-9)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the two-sided 95 % interval of a rate (Wilson 1927), both ends in 0..1.

    Args:
        successes: Number of trials that came out so, 0..`trials`.
        trials: Number of trials, at least 1.

    Raises:
        ValueError: A number is out of range.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}: give at least one trial, and no more successes")
    rate, square = successes / trials, Z_95**2
    middle = rate + square / (2 * trials)
    half = Z_95 * sqrt(rate * (1 - rate) / trials + square / (4 * trials**2))
    scale = 1 + square / trials
    # The ends are exact where floating point would miss them by a little.
    low = 0.0 if not successes else (middle - half) / scale
    high = 1.0 if successes == trials else (middle + half) / scale
    return low, high


def cohens_kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Return Cohen's kappa of two people's words on the same items (Cohen 1960), -1..1.

    This is (p_o - p_e) / (1 - p_e) with p_o the share of items on which both agree, and p_e the
    share expected of two who choose at random, each word as often as that person did. None where
    it is undefined: without any item, or where both chose one same word throughout.

    Args:
        first: One person's word on each item.
        second: The other's, in the same order.

    Raises:
        ValueError: The two have not as many words.
    """
    items = len(first)
    if items != len(second):
        raise ValueError(f"{items} and {len(second)} words: give both people's on the same items")
    here, there = Counter(first), Counter(second)
    # Counted in whole numbers, so that what is undefined is told without rounding.
    by_chance = sum(count * there[word] for word, count in here.items())
    if by_chance == items**2:
        return None
    agreed = sum(one == other for one, other in zip(first, second, strict=True))
    return (items * agreed - by_chance) / (items**2 - by_chance)


def agreements(words: Mapping[str, Mapping[str, str]]) -> list[Agreement]:
    """Return how well each two people agree who both decided an image, by their names.

    Args:
        words: Each person's words by image id.
    """
    found = []
    for first, second in combinations(sorted(words), 2):
        own, other = words[first], words[second]
        both = sorted(own.keys() & other.keys())
        if both:
            differ = tuple(image_id for image_id in both if own[image_id] != other[image_id])
            kappa = cohens_kappa([own[i] for i in both], [other[i] for i in both])
            found.append(Agreement(first, second, len(both), differ, kappa))
    return found


def _to_check(wanted: int | None, kept: int, undecided: int, rate: float | None) -> int | None:
    if wanted is None or not undecided:
        return undecided
    expected = images_to_check(wanted, kept, rate)
    return None if expected is None else min(expected, undecided)
