"""The index of a data set: which images there are, their sizes, image labels and splits.

Later stages read the index only; the OoD candidates stand in a table of their own, see
`wsss.data.candidates`. The ground truth is a file that training never gets.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsss.data.records import (
    SEPARATOR,
    ImageRecord,
    check_class_names,
    check_labels,
    check_records,
    shown,
)
from wsss.store.rows import read_rows, write_rows

log = logging.getLogger(__name__)

INDEX_COLUMNS = ("image_id", "path", "split", "height", "width", "labels")
CLASS_COLUMNS = ("class_name", "spurious_background", "spurious_id")
GROUND_TRUTH_COLUMNS = ("image_id", "mask", "spurious", "labels", "kind")
INDEXED = ("train", "val", "test")
Spurious = Mapping[str, Sequence[tuple[str, int]]]
"""By class, the backgrounds that go with it, each with its value in the spurious masks."""
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class GroundTruthRecord:
    """What is known of one image beyond its image labels; for evaluation and oracles only.

    `mask` and `spurious` are None where the image has none. `labels` are the true labels, also of
    OoD images. `kind` is the background's name, or "easy", "hard", "mislabelled" of an OoD image.
    """

    image_id: str
    mask: Path | None
    spurious: Path | None
    labels: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Index:
    """The classes, and the train, val and test images, of a data set."""

    classes: tuple[str, ...]
    records: tuple[ImageRecord, ...]

    def split(self, name: str) -> list[ImageRecord]:
        """Return the records of a split, in the order of the index.

        Raises:
            ValueError: There is no split of that name.
        """
        if name not in INDEXED:
            raise ValueError(f"split {name!r} is unknown; the index has {', '.join(INDEXED)}")
        return [record for record in self.records if record.split == name]

    def class_ids(self, record: ImageRecord) -> np.ndarray:
        """Return the zero-based foreground classes of an image, ascending, (n,) int64."""
        return np.array(sorted(self.classes.index(name) for name in record.labels), dtype=np.int64)

    def image_labels(self, record: ImageRecord) -> np.ndarray:
        """Return the image labels, multi-hot (C,) float32."""
        labels = np.zeros(len(self.classes), dtype=np.float32)
        labels[self.class_ids(record)] = 1.0
        return labels

    def class_id(self, name: str | None) -> int | None:
        """Return the zero-based number of a foreground class, None for no name.

        Raises:
            ValueError: The data set has no class of that name.
        """
        if name is not None and name not in self.classes:
            raise ValueError(f"{name!r} is not a class of the data set: {', '.join(self.classes)}")
        return None if name is None else self.classes.index(name)


@dataclass(frozen=True)
class Prepared:
    """What a data set's `prepare` returns; checked when made.

    OoD images stand among the `records`, or, where they are too many for the memory, come as the
    stream `candidates`, which is read once. `ground_truth` lacks the images of which nothing is
    known. `spurious` is of the classes that have any. A class without a training image is logged as
    a warning: it stays in the list, learns to be absent, and is left out of means over classes
    where no mask has it either. A class in every training image and training images without a
    label are logged, too.

    Raises:
        ValueError: An image id repeats or cannot name a file, a label or split is unknown, no
            training image shows any class, or a ground truth or a spurious background belongs to
            nothing.
    """

    classes: tuple[str, ...]
    records: tuple[ImageRecord, ...]
    ground_truth: tuple[GroundTruthRecord, ...]
    spurious: Spurious = field(default_factory=dict)
    candidates: Iterable[ImageRecord] = ()

    def __post_init__(self) -> None:
        """Check everything against everything."""
        check_records(self.records, self.classes, where="the data set")
        known = {record.image_id for record in self.records}
        for truth in self.ground_truth:
            if truth.image_id not in known:
                raise ValueError(f"ground truth of image {truth.image_id} belongs to no image")
            check_labels(truth.image_id, truth.labels, self.classes, "the ground truth")
        check_labels("(spurious)", tuple(self.spurious), self.classes, "the data set")
        _warn_of_labels(self.records, self.classes)


def _warn_of_labels(records: Iterable[ImageRecord], classes: Sequence[str]) -> None:
    """Log what training images cannot teach: classes that none or all show, images without any."""
    train = [record for record in records if record.split == "train"]
    counts = Counter(name for record in train for name in record.labels)
    if absent := [name for name in classes if not counts[name]]:
        log.warning(
            "no training image shows %s: nothing will be learnt of it; add images, or take it "
            "out of the list of classes",
            ", ".join(absent),
        )
    if everywhere := [name for name in classes if counts[name] == len(train)]:
        log.warning(
            "all %d training images show %s: a classifier can say so without looking; add images "
            "without it",
            len(train),
            ", ".join(everywhere),
        )
    if unlabelled := [record.image_id for record in train if not record.labels]:
        log.warning(
            "%d training images have no label (%s): they are learnt as showing none of the "
            "classes, and their pseudo-masks are background; label them, or take them out",
            len(unlabelled),
            examples(unlabelled),
        )


def examples(names: Sequence[str]) -> str:
    """Return the first three names, and dots where there are more."""
    return ", ".join([*names[:3], *(["..."] if len(names) > 3 else [])])


def write_classes(classes_csv: Path, classes: Sequence[str], spurious: Spurious) -> None:
    """Write the classes, in order, each with its spurious backgrounds (or none) and their ids.

    Raises:
        ValueError: The names of classes or of a class's backgrounds are empty, repeat or contain
            ";".
    """
    check_class_names(classes, str(classes_csv))
    rows = []
    for name in classes:
        own = spurious.get(name, ())
        if own:
            check_class_names([background for background, _ in own], f"{classes_csv} of {name}")
        backgrounds, numbers = zip(*own or [("", 0)], strict=True)
        rows.append((name, SEPARATOR.join(backgrounds), SEPARATOR.join(map(str, numbers))))
    write_rows(classes_csv, CLASS_COLUMNS, rows)


def read_classes(
    classes_csv: Path,
) -> tuple[tuple[str, ...], dict[str, tuple[tuple[str, int], ...]]]:
    """Return the class names and, where a class has any, its (spurious background, id)s.

    Raises:
        ValueError: The file is missing, lacks a column, its class names are empty or repeat, or
            the ids of a class are not one number for each of its backgrounds.
    """
    rows = read_rows(classes_csv, CLASS_COLUMNS)
    classes = tuple(name for name, _, _ in rows)
    check_class_names(classes, str(classes_csv))
    spurious = {}
    for name, backgrounds, cell in rows:
        numbers = [_whole_number(n, "spurious_id", classes_csv) for n in cell.split(SEPARATOR)]
        if len(_names(backgrounds)) not in (0, len(numbers)):
            raise ValueError(
                f"{classes_csv}: {name} has the backgrounds {backgrounds}, but the spurious_id "
                f"{cell}; prepare the data set again"
            )
        if backgrounds:
            spurious[name] = tuple(zip(_names(backgrounds), numbers, strict=True))
    return classes, spurious


def spurious_pairs(classes: Sequence[str], spurious: Spurious) -> list[tuple[int, int]]:
    """Return (zero-based class, id of one of its spurious backgrounds), class by class."""
    return [
        (class_id, number)
        for class_id, name in enumerate(classes)
        for _, number in spurious.get(name, ())
    ]


def write_index(index_csv: Path, records: Iterable[ImageRecord]) -> None:
    """Write all records but the OoD candidates, which `write_candidates` writes, in their order."""
    rows = [
        (r.image_id, r.path.as_posix(), r.split, r.height, r.width, SEPARATOR.join(r.labels))
        for r in records
        if r.split != "ood"
    ]
    write_rows(index_csv, INDEX_COLUMNS, rows)


def read_index(index_csv: Path, classes_csv: Path) -> Index:
    """Return the index of a data set.

    Raises:
        ValueError: A file is missing or lacks a column, an image id repeats, a label or split is
            unknown, a size is no number, or no training image shows any class.
    """
    classes, _ = read_classes(classes_csv)
    records = tuple(
        ImageRecord(
            image_id,
            Path(path),
            split,
            _whole_number(height, "height", index_csv),
            _whole_number(width, "width", index_csv),
            _names(labels),
        )
        for image_id, path, split, height, width, labels in read_rows(index_csv, INDEX_COLUMNS)
    )
    check_records(records, classes, where=str(index_csv))
    if any(record.split not in INDEXED for record in records):
        raise ValueError(
            f"{index_csv} is of another version, which had the OoD candidates in it; prepare the "
            "data set again"
        )
    return Index(classes, records)


def _whole_number(cell: str, column: str, where: Path) -> int:
    if not WHOLE_NUMBER.fullmatch(cell):
        raise ValueError(f"{where}: column {column} must hold whole numbers in every row")
    return int(cell)


def write_ground_truth(path: Path, records: Iterable[GroundTruthRecord]) -> None:
    """Write the ground truth records in their order."""
    rows = [
        (
            record.image_id,
            record.mask.as_posix() if record.mask else "",
            record.spurious.as_posix() if record.spurious else "",
            SEPARATOR.join(record.labels),
            record.kind,
        )
        for record in records
    ]
    write_rows(path, GROUND_TRUTH_COLUMNS, rows)


def read_ground_truth(path: Path) -> dict[str, GroundTruthRecord]:
    """Return the ground truth by image id; images of which nothing is known are absent.

    Raises:
        ValueError: The file is missing, lacks a column, or an image id repeats.
    """
    truths: dict[str, GroundTruthRecord] = {}
    for image_id, mask, spurious, labels, kind in read_rows(path, GROUND_TRUTH_COLUMNS):
        if image_id in truths:
            raise ValueError(f"{path}: image id {shown(image_id)} occurs twice; make ids unique")
        truths[image_id] = GroundTruthRecord(
            image_id, _path(mask), _path(spurious), _names(labels), kind
        )
    return truths


def _names(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(SEPARATOR)) if cell else ()


def _path(cell: str) -> Path | None:
    return Path(cell) if cell else None


def shard_of(records: Sequence[ImageRecord], shard: int, shards: int) -> list[ImageRecord]:
    """Return every `shards`-th record from number `shard` on, so that shards are of one size.

    Raises:
        ValueError: The shard is not in 0 .. shards - 1.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} of {shards} does not exist; count from 0")
    return list(records[shard::shards])


def group_by_size(records: Iterable[ImageRecord]) -> list[list[ImageRecord]]:
    """Return the records in groups of one exact height and width, each in the order given."""
    groups: dict[tuple[int, int], list[ImageRecord]] = {}
    for record in records:
        groups.setdefault((record.height, record.width), []).append(record)
    return list(groups.values())
