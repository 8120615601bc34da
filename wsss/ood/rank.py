"""Ranking of candidate out-of-distribution images by what a classifier wrongly sees in them."""

import logging
import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

log = logging.getLogger(__name__)

RANKING_COLUMNS = ("class_name", "rank", "image_id", "score")


def rank_candidates(
    batches: Iterable[tuple[Sequence[str], np.ndarray]],
    *,
    classes: Sequence[str],
    score_threshold: float,
    keep_per_class: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rank candidates per class by score and count what the ranking leaves out.

    A candidate is ranked for every class c with p(c) >= `score_threshold`, so one image may stand
    in several classes (W-OoD sec. 3.1). Candidates are read as a stream: per class at most
    `2 * keep_per_class` plus one batch are held, so memory does not grow with their number. Equal
    scores are ordered by image id: the order of the stream does not matter. Classes without any
    ranked image are logged as a warning.

    Args:
        batches: pairs of image ids (n) and probabilities, float (n, C) in 0..1.
        classes: names of the C foreground classes.
        score_threshold: smallest probability of a ranked image, 0..1 (0.5 in the paper).
        keep_per_class: largest number of images ranked for one class.

    Returns:
        The ranking (class_name, rank from 1, image_id, score), best first within each class, and a
        summary with one row per class (class_name, num_candidates seen, num_above_threshold with
        p(c) >= `score_threshold`, num_kept in the ranking).

    Raises:
        ValueError: if a batch has another shape, a probability is NaN or outside 0..1, an image
            comes twice, or an option is out of range.
    """
    _check_options(classes, score_threshold, keep_per_class)
    best: list[list[tuple[float, str]]] = [[] for _ in classes]
    bounds = [score_threshold] * len(classes)
    above = np.zeros(len(classes), dtype=np.int64)
    seen = 0
    for image_ids, probs in batches:
        _check_batch(image_ids, probs, len(classes))
        seen += len(image_ids)
        above += np.count_nonzero(probs >= score_threshold, axis=0)
        for class_id, held in enumerate(best):
            for index in np.flatnonzero(probs[:, class_id] >= bounds[class_id]):
                held.append((-float(probs[index, class_id]), str(image_ids[int(index)])))
            if len(held) > 2 * keep_per_class:
                bounds[class_id] = _cut(held, keep_per_class)
    best = [sorted(held)[:keep_per_class] for held in best]
    _check_doubles(best, classes)
    _warn_of_none(best, classes, seen, score_threshold)
    rows = [
        (name, rank, image_id, -negative)
        for name, held in zip(classes, best, strict=True)
        for rank, (negative, image_id) in enumerate(held, start=1)
    ]
    summary = pd.DataFrame(
        {
            "class_name": list(classes),
            "num_candidates": np.full(len(classes), seen),
            "num_above_threshold": above,
            "num_kept": [len(held) for held in best],
        }
    )
    return pd.DataFrame(rows, columns=list(RANKING_COLUMNS)), summary


def annotation_cost(wanted: int, positive_rate: float) -> float:
    """Return how many images a person checks on average to keep `wanted` of them.

    This is n / (1 - r) (W-OoD sec. 3.1) with r = `positive_rate` in 0..1, the share of ranked
    images that do contain a foreground object; infinite where every image does (r = 1).

    Raises:
        ValueError: if `wanted` is negative or `positive_rate` is outside 0..1.
    """
    if wanted < 0 or not 0 <= positive_rate <= 1:
        raise ValueError(
            f"annotation cost of {wanted} images at positive rate {positive_rate}: give a number "
            "of images >= 0 and a rate in 0..1"
        )
    if wanted == 0:
        return 0.0
    return wanted / (1 - positive_rate) if positive_rate < 1 else math.inf


def _cut(held: list[tuple[float, str]], keep: int) -> float:
    """Cut one class back to its best images and return the score that a better one must reach."""
    held.sort()
    del held[keep:]
    return -held[-1][0]


def _check_options(classes: Sequence[str], score_threshold: float, keep_per_class: int) -> None:
    if not classes or len(set(classes)) != len(classes):
        raise ValueError(f"classes {list(classes)}: give at least one name, each once")
    if not 0 <= score_threshold <= 1:
        raise ValueError(f"score_threshold {score_threshold} is not in 0..1")
    if keep_per_class < 1:
        raise ValueError(f"keep_per_class {keep_per_class} is below 1: nothing would be ranked")


def _check_batch(image_ids: Sequence[str], probs: np.ndarray, num_classes: int) -> None:
    if probs.shape != (len(image_ids), num_classes):
        raise ValueError(
            f"probabilities have shape {probs.shape} for {len(image_ids)} images and "
            f"{num_classes} classes: give one row per image and one column per class"
        )
    # Written so that NaN, which compares false, counts as bad.
    bad = np.flatnonzero(~((probs >= 0) & (probs <= 1)).all(axis=1))
    if bad.size:
        raise ValueError(
            f"a probability of image {image_ids[bad[0]]} is not in 0..1: "
            "check the classifier's weights and hand over probabilities, not logits"
        )


def _warn_of_none(
    best: Sequence[Sequence[object]], classes: Sequence[str], seen: int, score_threshold: float
) -> None:
    without = [name for name, held in zip(classes, best, strict=True) if not held]
    if without:
        log.warning(
            "none of %d candidates reaches the score threshold %g for %s: lower it, or offer more",
            seen,
            score_threshold,
            ", ".join(without),
        )


def _check_doubles(best: Sequence[Sequence[tuple[float, str]]], classes: Sequence[str]) -> None:
    # Only the kept images are compared: the ids of all candidates would not fit a flat memory.
    for name, held in zip(classes, best, strict=True):
        known: set[str] = set()
        for _, image_id in held:
            if image_id in known:
                raise ValueError(
                    f"candidate {image_id} comes twice (ranked for {name}): list each image once"
                )
            known.add(image_id)
