"""What OpenImages' labels say of each image on the disk: its classes, or that it is a candidate.

Numbers stand for images, classes and labels throughout, and nothing is kept of images that are not
there: about 30 bytes for each that is, and 8 for the id of each that is not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsss.data.sets._openimages_classes import Evidence
from wsss.data.sets._openimages_images import ImageFiles
from wsss.data.sets._openimages_labels import LabelRows, read_label_rows
from wsss.progress import progress

AT_ONCE = 1_000_000
"""Numbers that may wait until they are sorted."""


@dataclass(frozen=True)
class Judged:
    """What is known of n images.

    Attributes:
        images: Places of the images with a class, once per class, (m,) int64, ascending.
        classes: Numbers of those classes, (m,) int64, ascending within an image.
        is_annotated: Whether a table names the image, (n,) bool.
        is_ruled_out: Whether something speaks for a class, so that it is no candidate, (n,) bool.
    """

    images: np.ndarray
    classes: np.ndarray
    is_annotated: np.ndarray
    is_ruled_out: np.ndarray


class Judge:
    """Reads tables of labels: those of people first, then those of machines.

    Args:
        files: The images on the disk.
        evidence: The labels that speak of the classes.
    """

    def __init__(self, files: ImageFiles, evidence: Evidence) -> None:
        self.files = files
        self.mids = evidence.mids
        self.rules_out = np.array(evidence.rules_out, dtype=bool)
        self.classes_of = _table(evidence.classes_of)
        self.denied_by = _table(evidence.denied_by)
        self.is_annotated = np.zeros(len(files), dtype=bool)
        self.is_ruled_out = np.zeros(len(files), dtype=bool)
        self.num_classes = int(self.classes_of.max(initial=-1)) + 1
        self.shown = _Keys()
        self.denied = _Keys()
        self.elsewhere = _Keys()

    def hear_people(self, tables: Sequence[Path]) -> None:
        """Read labels that people verified: 1 is there, 0 is not.

        Raises:
            ValueError: A file is missing or no such table, or a label is neither there nor not.
        """
        for path in tables:
            for part in _rows(path, self.mids):
                images, labels, numbers = self._here(part)
                unsure = (part.confidences > 0) & (part.confidences < 1)
                if unsure.any():
                    raise ValueError(_unsure(path, part, int(np.flatnonzero(unsure)[0])))
                there = numbers == 1
                self.is_ruled_out[images[there & self.rules_out[labels]]] = True
                for own in self.classes_of.T:
                    makes = there & (own[labels] >= 0)
                    self.shown.add(images[makes] * self.num_classes + own[labels[makes]])
                self.denied.add(images[~there] * len(self.mids) + labels[~there])

    def hear_machines(self, tables: Sequence[Path], *, confidence: float) -> None:
        """Read labels that machines gave; what people denied counts for nothing.

        They make no image one of a class, but rule it out as a candidate.

        Args:
            tables: The files.
            confidence: From which on a label counts.

        Raises:
            ValueError: A file is missing or no such table.
        """
        denied = self.denied.all()
        for path in tables:
            for part in _rows(path, self.mids):
                images, labels, numbers = self._here(part)
                counts = self.rules_out[labels] & (numbers >= confidence)
                images, labels = images[counts], labels[counts]
                believed = np.ones(len(images), dtype=bool)
                for other in self.denied_by.T:
                    keys = images * len(self.mids) + other[labels]
                    believed &= ~((other[labels] >= 0) & _is_in(keys, denied))
                self.is_ruled_out[images[believed]] = True

    def _here(self, part: LabelRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return places of images, labels and confidences, of images that are on the disk."""
        places, is_here = self.files.find(part.image_ids)
        self.is_annotated[places[is_here]] = True
        self.elsewhere.add(part.image_ids[~is_here])
        kept = is_here[part.images]
        return places[part.images[kept]], part.labels[kept], part.confidences[kept]

    def judged(self) -> Judged:
        """Return what was heard."""
        shown = self.shown.all()
        images, classes = np.divmod(shown, max(1, self.num_classes))
        return Judged(images, classes, self.is_annotated, self.is_ruled_out)

    def num_elsewhere(self) -> int:
        """Return how many images the tables name that are not on the disk."""
        return len(self.elsewhere.all())


def _rows(path: Path, mids: Sequence[str]) -> Iterable[LabelRows]:
    """Return the rows of a table; how far they are read is logged."""
    total = path.stat().st_size if path.is_file() else 0
    return progress(
        read_label_rows(path, mids),
        total=total,
        description=f"labels of {path.name}",
        unit="bytes",
        weight=lambda part: part.num_bytes,
    )


def _table(numbers: Sequence[Sequence[int]]) -> np.ndarray:
    """Return lists as rows, (n, longest) int64, with -1 behind the shorter ones."""
    longest = max((len(own) for own in numbers), default=0)
    return np.array(
        [[*own, *[-1] * (longest - len(own))] for own in numbers], dtype=np.int64
    ).reshape(len(numbers), longest)


def _is_in(keys: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    if not len(ascending):
        return np.zeros(len(keys), dtype=bool)
    found = np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)
    return ascending[found] == keys


class _Keys:
    """Different numbers, of which many may be added again and again."""

    def __init__(self) -> None:
        self.sorted: np.ndarray = np.zeros(0, dtype=np.int64)
        self.waiting: list[np.ndarray] = []
        self.count = 0

    def add(self, keys: np.ndarray) -> None:
        """Add numbers."""
        self.waiting.append(keys)
        self.count += len(keys)
        # Sorted in, they take less memory, but each time takes as long as the whole is.
        if self.count > AT_ONCE + len(self.sorted) // 4:
            self.all()

    def all(self) -> np.ndarray:
        """Return the numbers, ascending, each once."""
        if self.count:
            # An empty array of another type would turn them into floats.
            known = [self.sorted] if len(self.sorted) else []
            keys = np.concatenate([*known, *self.waiting])
            self.sorted, self.waiting, self.count = keys[:0], [], 0
            keys.sort(kind="stable")
            is_new = np.ones(len(keys), dtype=bool)
            is_new[1:] = keys[1:] != keys[:-1]
            self.sorted = keys[is_new]
        return self.sorted


def _unsure(path: Path, part: LabelRows, row: int) -> str:
    return (
        f"labels {path} hold the confidence {part.confidences[row]:g} in line {part.lines[row]}, "
        "but people say 0 or 1; name the labels of machines under train_machine_labels"
    )
