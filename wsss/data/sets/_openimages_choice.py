"""Which of OpenImages' judged images a data set takes."""

from collections.abc import Sequence

import numpy as np

from wsss.data.selection import covering_order
from wsss.data.sets._openimages_judge import Judged


def choose_labelled(
    judged: Judged, classes: Sequence[str], *, limit: int, random_seed: int
) -> dict[int, tuple[str, ...]]:
    """Return the labels of the images with a class that a limit keeps, ascending by place.

    Args:
        judged: What is known of the images.
        classes: Names.
        limit: At most so many images, or 0 for all; every class keeps one as long as that allows.
        random_seed: Of the choice.
    """
    images, numbers = judged.images, judged.classes
    if limit:
        few = _few(judged, limit, random_seed)
        kept = np.isin(images, few)
        images, numbers = images[kept], numbers[kept]
    labels: dict[int, tuple[str, ...]] = {}
    for image, number in zip(images.tolist(), numbers.tolist(), strict=True):
        labels[image] = (*labels.get(image, ()), classes[number])
    if not limit:
        return labels
    by_name = {str(image): own for image, own in labels.items()}
    chosen = covering_order(by_name, classes, random_seed=random_seed)[:limit]
    return {image: labels[image] for image in sorted(map(int, chosen))}


def _few(judged: Judged, limit: int, random_seed: int) -> np.ndarray:
    """Return random images, `limit` of them and one more of each class: enough to choose from.

    All of them by their names would fill the memory, for there may be millions.
    """
    images = np.unique(judged.images)
    order = np.random.default_rng(random_seed).permutation(len(images))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    few = [images[order[:limit]]]
    for number in np.unique(judged.classes):
        own = np.flatnonzero(judged.classes == number)
        ranks = rank[np.searchsorted(images, judged.images[own])]
        few.append(judged.images[own[[np.argmin(ranks)]]])
    return np.unique(np.concatenate(few))


def choose_candidates(
    judged: Judged, *, unannotated: bool, limit: int, random_seed: int
) -> np.ndarray:
    """Return the places of the candidates, (n,) int64, ascending.

    Args:
        judged: What is known of the images.
        unannotated: Whether images without any label count, of which nothing is known.
        limit: At most so many, or 0 for all.
        random_seed: Of the choice.
    """
    is_candidate = ~judged.is_ruled_out
    if not unannotated:
        is_candidate &= judged.is_annotated
    rows = np.flatnonzero(is_candidate)
    if not limit or limit >= len(rows):
        return rows
    return np.sort(np.random.default_rng(random_seed).choice(rows, limit, replace=False))
