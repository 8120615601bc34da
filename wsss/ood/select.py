"""Selection of the out-of-distribution images that train the classifier."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

SELECTION_COLUMNS = ("image_id", "class_name", "score")


def select_hard(
    ranking: pd.DataFrame, decisions: pd.DataFrame, *, size: int | None
) -> pd.DataFrame:
    """Return the kept ranked images, each once, as the hard OoD set (W-OoD sec. 3.1).

    An image ranked for several classes stands with the class of its best rank (then the higher
    score, then the class that comes first in the ranking). With a `size`, classes take turns from
    their best image down, so that a class with many candidates does not crowd out the others;
    smaller sets are the beginnings of larger ones.

    Args:
        ranking: table of `rank_candidates`.
        decisions: table with columns image_id and decision; only images with "keep" are used.
        size: number of images to return, None for all that were kept.

    Returns:
        Table (image_id, class_name, score) in the order of the turns.

    Raises:
        ValueError: if nothing was kept, or fewer images than `size`.
    """
    kept = set(decisions.loc[decisions["decision"] == "keep", "image_id"])
    best = _best_class(ranking)
    best = best[best["image_id"].isin(kept)].copy()
    best["turn"] = best.groupby("class_name", sort=False).cumcount()
    best = best.sort_values(["turn", "class_order"], kind="stable")
    size = _checked_size(size, len(best), "kept ranked images")
    return best[list(SELECTION_COLUMNS)].head(size).reset_index(drop=True)


def select_random(
    candidate_ids: Sequence[str], *, size: int | None, random_seed: int
) -> pd.DataFrame:
    """Return a random set of candidates, whatever the classifier says (dissertation Table 4.6).

    The set depends on the ids and the seed, not on the order of the ids, and smaller sets are the
    beginnings of larger ones. `size` None takes all.

    Returns:
        Table (image_id, class_name empty, score NaN), in the order drawn.

    Raises:
        ValueError: if there are no candidates, or fewer than `size`, or an id comes twice.
    """
    ordered = sorted(candidate_ids)
    if len(set(ordered)) != len(ordered):
        double = next(a for a, b in itertools.pairwise(ordered) if a == b)
        raise ValueError(f"candidate {double} comes twice: list each image once")
    size = _checked_size(size, len(ordered), "candidates")
    drawn = np.random.default_rng(random_seed).permutation(len(ordered))[:size]
    return pd.DataFrame(
        {
            "image_id": [ordered[index] for index in drawn],
            "class_name": [""] * size,
            "score": np.full(size, np.nan),
        }
    )


def select_random_hard(
    ranking: pd.DataFrame, *, size: int | None, random_seed: int
) -> pd.DataFrame:
    """Return a random set of ranked images without any pruning (dissertation Table 4.6).

    Every ranked image has the same chance, so the set holds all the missing positives of the
    candidates; the dissertation fixes one total number for all ways of collecting, `size`. The
    ranking holds at most `keep_per_class` images per class: images beyond are never drawn.

    Returns:
        Table (image_id, class_name of the best rank, score), in the order drawn.

    Raises:
        ValueError: if nothing is ranked, or fewer images than `size`.
    """
    best = _best_class(ranking).sort_values("image_id", kind="stable")
    size = _checked_size(size, len(best), "ranked images")
    drawn = np.random.default_rng(random_seed).permutation(len(best))[:size]
    return best[list(SELECTION_COLUMNS)].iloc[drawn].reset_index(drop=True)


def _best_class(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return one row per image, that of its best rank, ordered by rank."""
    order = {name: index for index, name in enumerate(dict.fromkeys(ranking["class_name"]))}
    table = ranking.assign(class_order=ranking["class_name"].map(order))
    table = table.sort_values(
        ["rank", "score", "class_order"], ascending=[True, False, True], kind="stable"
    )
    return table.drop_duplicates("image_id")


def _checked_size(size: int | None, available: int, what: str) -> int:
    if available == 0:
        raise ValueError(
            f"there are no {what}: offer more candidates in the data set, lower the OoD set's "
            "score_threshold, or keep some"
        )
    if size is None:
        return available
    if not 1 <= size <= available:
        raise ValueError(
            f"asked for {size} out-of-distribution images, but there are {available} {what}: "
            f"set a size of 1 to {available}, or same_size_as a set that is no larger"
        )
    return size
