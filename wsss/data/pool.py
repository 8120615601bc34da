"""Candidate OoD images that one data set takes from another."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from wsss.data.candidates import read_candidates
from wsss.data.index import examples, read_classes
from wsss.data.records import ImageRecord

log = logging.getLogger(__name__)


def pool_candidates(
    candidates_csv: Path,
    classes_csv: Path,
    *,
    classes: Sequence[str],
    records: Sequence[ImageRecord],
) -> Iterator[ImageRecord]:
    """Yield the candidates of another data set, but for copies of own images.

    Such a copy would be trained to show no class. Only files of equal image size and file size are
    read to find them.

    Args:
        candidates_csv: Of the other data set.
        classes_csv: Of the other data set: what its candidates do not show.
        classes: Own classes.
        records: Own train and val images.

    Raises:
        ValueError: The other data set does not know a class, so that its candidates may show it;
            or a file is missing or damaged.
    """
    known, _ = read_classes(classes_csv)
    if missing := [name for name in classes if name not in known]:
        raise ValueError(
            f"the pool of {candidates_csv} was collected without looking for "
            f"{', '.join(missing)}, so its images may show it; add it to that data set's classes"
        )
    own = _OwnFiles(records)
    copies = []
    for candidate in read_candidates(candidates_csv):
        if own.has(candidate):
            copies.append(candidate.image_id)
        else:
            yield candidate
    if copies:
        log.warning(
            "%d candidates of %s are copies of train or val images and left out (%s)",
            len(copies),
            candidates_csv,
            examples(copies),
        )


class _OwnFiles:
    """The files of a data set by image size and file size, and their contents as far as needed."""

    def __init__(self, records: Sequence[ImageRecord]) -> None:
        self.alike: dict[tuple[int, int], dict[int, list[Path]]] = {}
        self.digests: dict[Path, bytes] = {}
        for record in records:
            sizes = self.alike.setdefault((record.height, record.width), {})
            sizes.setdefault(record.path.stat().st_size, []).append(record.path)

    def has(self, candidate: ImageRecord) -> bool:
        """Return whether a candidate's file is a copy of one of these."""
        sizes = self.alike.get((candidate.height, candidate.width))
        others = sizes.get(candidate.path.stat().st_size) if sizes else None
        if not others:
            return False
        for path in others:
            if path not in self.digests:
                self.digests[path] = _digest(path)
        return _digest(candidate.path) in {self.digests[path] for path in others}


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
