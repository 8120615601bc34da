"""What a table of labels means: for which images, classes and splits."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wsss.data.index import examples
from wsss.data.records import SPLITS, shown
from wsss.data.selection import covering_order
from wsss.data.sets._folder_images import FolderImages
from wsss.data.sets._folder_table import Row

log = logging.getLogger(__name__)

JOINTS = re.compile(r"\s*[,|/+&]\s*")


def match_rows(rows: Iterable[Row], images: FolderImages, *, where: Path) -> dict[str, Row]:
    """Return the rows by image id. Rows without an image, and the reverse, are counted and logged.

    Args:
        rows: Of the table.
        images: Of the folder.
        where: The table.

    Raises:
        ValueError: A row may mean several images, two rows are of one, or none is of any.
    """
    found: dict[str, Row] = {}
    lost = []
    for row in rows:
        image_id = images.find(row.name, where=row.where)
        if image_id is None:
            lost.append(row.name)
        elif image_id in found:
            raise ValueError(
                f"{found[image_id].where} and {row.where} are both of image {shown(image_id)}; "
                "join its labels by ';' in one of them"
            )
        else:
            found[image_id] = row
    if not found:
        raise ValueError(
            f"labels {where} name no image of folder {images.folder}: they begin with "
            f"{shown(lost[0])}, the images with {next(iter(images.paths))}; name the images as the "
            "files are named"
        )
    if lost:
        log.warning(
            "%d rows of %s are of images that folder %s does not have (%s): they are left out",
            len(lost),
            where,
            images.folder,
            examples(lost),
        )
    if alone := [image_id for image_id in images.paths if image_id not in found]:
        log.warning(
            "%d images of folder %s have no row in %s (%s): they become OoD candidates of which "
            "nothing is known; if they show a class, label them or take them away",
            len(alone),
            images.folder,
            where,
            examples(alone),
        )
    return found


def choose_classes(classes: Sequence[str], rows: Iterable[Row], *, where: Path) -> tuple[str, ...]:
    """Return the classes: those that are named, or where none is, all labels in their order.

    Labels that are no classes are counted and logged.

    Args:
        classes: Names, or none.
        rows: Of the table.
        where: The table.

    Raises:
        ValueError: No image has a class, a label seems to be several, or differs from a class by
            its case alone.
    """
    counts = Counter(label for row in rows for label in row.labels)
    chosen = tuple(classes) or tuple(sorted(counts))
    if missing := [name for name in chosen if name not in counts]:
        raise ValueError(
            f"labels {where} have no label {', '.join(missing)}; theirs are "
            f"{', '.join(map(shown, sorted(counts)))[:400]}"
        )
    if not chosen:
        raise ValueError(f"labels {where} have no label in any row; write some")
    _check_labels(counts, chosen, bool(classes), where)
    dropped = [f"{shown(name)} ({count})" for name, count in counts.items() if name not in chosen]
    if dropped:
        log.info(
            "labels of %s that are no classes are dropped (with how many images have them): %s",
            where,
            ", ".join(sorted(dropped)),
        )
    return chosen


def _check_labels(
    labels: Iterable[str], classes: Sequence[str], are_named: bool, where: Path
) -> None:
    """Refuse labels that would be lost, or become classes of their own, by a slip."""
    same: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys((*classes, *labels)):
        same[name.casefold()].append(name)
    for names in same.values():
        if len(names) > 1 and set(names) & set(classes):
            raise ValueError(
                f"labels {where} write {' and '.join(map(shown, names))}, which differ by their "
                "case alone; write one of them"
            )
    for name in labels:
        pieces = JOINTS.split(name)
        if are_named and (name in classes or not set(classes).issuperset(pieces)):
            continue
        # Of names that nobody listed one cannot say which are classes.
        if are_named or "," in name or "|" in name:
            raise ValueError(
                f"labels {where} have the label {shown(name)}, which seems to be several; join "
                "labels by ';', or name the class in the list of classes if it is one"
            )


def split_images(
    labels: Mapping[str, Sequence[str]],
    rows: Mapping[str, Row],
    classes: Sequence[str],
    *,
    val_fraction: float,
    limit: int,
    random_seed: int,
) -> dict[str, list[str]]:
    """Return the ids of each split, sorted.

    Where the table has splits, they count, but a training image without a class becomes a
    candidate. Else images with a class are divided at random, so that each class keeps an image for
    training, and those without become candidates.

    Args:
        labels: Classes of every image; none for images without row.
        rows: By image id.
        classes: Names.
        val_fraction: Share of the images with a class that become val.
        limit: At most so many images per split, or 0 for all; a class keeps one if that allows it.
        random_seed: Of both choices.
    """
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for image_id, own in labels.items():
        said = rows[image_id].split if image_id in rows else ""
        splits[_split_of(said, bool(own))].append(image_id)
    if not any(row.split for row in rows.values()):
        order = covering_order(
            {image_id: labels[image_id] for image_id in splits["train"]},
            classes,
            random_seed=random_seed,
        )
        last = max(len(order) - round(val_fraction * len(order)), _covering(order, labels))
        splits["train"], splits["val"] = order[:last], order[last:]
    for split, image_ids in splits.items():
        shown_of = {name: labels[name] if split != "ood" else () for name in image_ids}
        kept = covering_order(shown_of, classes, random_seed=random_seed)[: limit or None]
        splits[split] = sorted(kept)
    return splits


def _split_of(said: str, has_class: bool) -> str:
    if said in ("val", "test"):
        return said
    return "train" if has_class and said != "ood" else "ood"


def _covering(order: Sequence[str], labels: Mapping[str, Sequence[str]]) -> int:
    """Return how many of the first images show all classes that any of them shows."""
    seen: set[str] = set()
    needed = 0
    for number, image_id in enumerate(order, start=1):
        if not seen.issuperset(labels[image_id]):
            seen.update(labels[image_id])
            needed = number
    return needed
