"""Chooses example images, reads their masks, and writes single small pictures."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from wsss.data.index import GroundTruthRecord, ImageRecord, Index
from wsss.store.atomic import atomic_path
from wsss.store.masks import read_mask


@dataclass(frozen=True)
class Example:
    """An image that stands for a class."""

    record: ImageRecord
    class_name: str


def choose_examples(
    index: Index,
    *,
    split: str,
    per_class: int,
    random_seed: int,
    among: Collection[str] | None,
) -> list[Example]:
    """Return random images of each class, class by class; an image stands for one class only.

    The choice looks at image labels and the seed alone, never at results, so that no one picks
    the pretty ones.

    Args:
        index: The data set.
        split: Split to choose from.
        per_class: Images per class; fewer where a class has fewer.
        random_seed: Seed of the choice.
        among: Only these image ids (those that have masks, say); None for all.

    Raises:
        ValueError: The split has no labelled image to choose from.
    """
    rng = np.random.default_rng(random_seed)
    records = index.split(split)
    taken: set[str] = set()
    examples: list[Example] = []
    for class_name in index.classes:
        own = [
            record
            for record in records
            if class_name in record.labels
            and record.image_id not in taken
            and (among is None or record.image_id in among)
        ]
        # Images with this class alone first: a row should show what its title says.
        own = [own[place] for place in rng.permutation(len(own))]
        own.sort(key=lambda record: len(record.labels))
        examples += [Example(record, class_name) for record in own[:per_class]]
        taken.update(record.image_id for record in own[:per_class])
    if not examples:
        raise ValueError(f"split {split!r} has no labelled image that could be shown")
    return examples


def true_mask(
    ground_truth: Mapping[str, GroundTruthRecord], record: ImageRecord
) -> np.ndarray | None:
    """Return an image's mask for display and evaluation, or None where it has none."""
    known = ground_truth.get(record.image_id)
    return None if known is None or known.mask is None else read_mask(known.mask)


def true_spurious(
    ground_truth: Mapping[str, GroundTruthRecord], record: ImageRecord
) -> np.ndarray | None:
    """Return where an image's spurious background lies, (H, W) bool, or None if unknown."""
    known = ground_truth.get(record.image_id)
    if known is None or known.spurious is None:
        return None
    region: np.ndarray = read_mask(known.spurious) > 0
    return region


def write_tile(path: Path | str, image: np.ndarray, *, side: int) -> None:
    """Write an image as PNG, made smaller so that no side exceeds `side` pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)
