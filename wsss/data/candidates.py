"""The candidate OoD images of a data set: a table of its own, read in parts, for it may be long.

Nine million candidates are a gigabyte. Whoever writes the table or reads all of it holds some of
its rows at a time; a shard is read alone.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from wsss.data.records import ImageRecord, check_record
from wsss.store.long_rows import count_rows, iterate_rows, read_part
from wsss.store.rows import write_rows

COLUMNS = ("image_id", "path", "height", "width")
AT_ONCE = 100_000


def write_candidates(
    candidates_csv: Path, candidates: Iterable[ImageRecord], others: Iterable[ImageRecord]
) -> None:
    """Write the candidates in their order.

    Args:
        candidates_csv: Where to.
        candidates: Of split "ood"; a stream that is read once.
        others: The train and val images.

    Raises:
        ValueError: A record is no candidate, or an image id repeats or belongs to another image.
    """
    rows = _checked(candidates, others, where=str(candidates_csv))
    write_rows(candidates_csv, COLUMNS, rows)


def _checked(
    candidates: Iterable[ImageRecord], others: Iterable[ImageRecord], *, where: str
) -> Iterator[tuple[str, str, int, int]]:
    seen = _Seen(where)
    seen.add([record.image_id for record in others])
    stream = iter(candidates)
    while batch := list(islice(stream, AT_ONCE)):
        seen.add([record.image_id for record in batch])
        for record in batch:
            if record.split != "ood":
                raise ValueError(
                    f"{where}: image {record.image_id} is of split {record.split}, no candidate"
                )
            check_record(record, (), where=where)
            yield record.image_id, record.path.as_posix(), record.height, record.width


class _Seen:
    """The image ids so far, as numbers of eight bytes: millions of texts would fill the memory.

    Two ids of nine million have one number with a probability of 2e-6.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.numbers = np.zeros(0, dtype=np.uint64)

    def add(self, image_ids: Sequence[str]) -> None:
        """Add ids that must be new.

        Raises:
            ValueError: One is not.
        """
        digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in image_ids)
        added = np.frombuffer(b"".join(digests), dtype=np.uint64)
        merged = np.concatenate([self.numbers, np.sort(added)])
        # Two sorted runs: the stable way merges them.
        merged.sort(kind="stable")
        repeated = merged[1:][merged[1:] == merged[:-1]]
        if repeated.size:
            name = image_ids[int(np.flatnonzero(np.isin(added, repeated))[-1])]
            raise ValueError(
                f"{self.where}: the image id {name} of an OoD candidate occurs twice; take one out "
                "of its list or folder, or rename it"
            )
        self.numbers = merged


def read_candidates(candidates_csv: Path) -> Iterator[ImageRecord]:
    """Yield all candidates.

    Raises:
        ValueError: The file is missing, damaged (told at its end) or no table of candidates.
    """
    for cells in iterate_rows(candidates_csv, COLUMNS):
        yield _record(cells, candidates_csv)


def candidate_shard(candidates_csv: Path, shard: int, shards: int) -> list[ImageRecord]:
    """Return the candidates of a shard: about as many bytes of the table for each.

    Raises:
        ValueError: The file is missing or no table of candidates, or the shard is not in
            0 .. shards - 1.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} of {shards} does not exist; count from 0")
    rows = read_part(candidates_csv, COLUMNS, part=shard, parts=shards)
    return [_record(cells, candidates_csv) for cells in rows]


def count_candidates(candidates_csv: Path) -> int:
    """Return how many candidates a table has; it is not checked.

    Raises:
        ValueError: The file is missing.
    """
    return count_rows(candidates_csv)


def find_candidates(candidates_csv: Path, image_ids: Collection[str]) -> dict[str, ImageRecord]:
    """Return the candidates of these ids, in the table's order.

    Raises:
        ValueError: An id is that of no candidate, or the file is missing or damaged.
    """
    wanted = set(image_ids)
    found = {
        cells[0]: _record(cells, candidates_csv)
        for cells in iterate_rows(candidates_csv, COLUMNS)
        if cells[0] in wanted
    }
    unknown = [image_id for image_id in image_ids if image_id not in found]
    if unknown:
        raise ValueError(
            f"image {unknown[0]} is not an OoD candidate of the data set ({candidates_csv}): rank "
            "and select again"
        )
    return found


def _record(cells: Sequence[str], where: Path) -> ImageRecord:
    image_id, path, height, width = cells
    if not (height.isdecimal() and width.isdecimal() and height.isascii() and width.isascii()):
        raise ValueError(
            f"{where}: image {image_id} has no size in whole pixels; prepare the data set again"
        )
    return ImageRecord(image_id, Path(path), "ood", int(height), int(width), ())
