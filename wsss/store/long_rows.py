"""Reading of tables that are too long to be held: row by row, or one of several parts.

They are written by `wsss.store.rows.write_rows`; no cell holds the end of a line.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wsss.store.rows import checksum_path, readable_table

BLOCK = 2**20


def iterate_rows(path: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """Yield the rows of a CSV table that has exactly these columns.

    Damage that leaves the rows readable is told after the last of them.

    Raises:
        ValueError: The file is missing, damaged or changed since it was written, no CSV, or has
            other columns.
    """
    digest = hashlib.sha256()
    with _opened(path, columns) as (file, header):
        digest.update(header)
        yield from _parsed(_hashed(file, digest), len(columns), path)
    beside = checksum_path(path)
    if beside.is_file() and beside.read_bytes().split()[:1] != [digest.hexdigest().encode()]:
        raise ValueError(
            f"table {path} is damaged, or was changed after it was written (its checksum differs); "
            f"delete it and make it again, or delete {beside.name} if the change is yours"
        )


def count_rows(path: Path) -> int:
    """Return how many rows a CSV table has, by the ends of its lines.

    Raises:
        ValueError: The file is missing or cannot be read.
    """
    with _open(path) as file:
        blocks = iter(lambda: file.read(BLOCK), b"")
        return max(0, sum(block.count(b"\n") for block in blocks) - 1)


def read_part(path: Path, columns: Sequence[str], *, part: int, parts: int) -> list[list[str]]:
    """Return the rows of one of several parts of about equal bytes; together they are all rows.

    Only the part is read, so the table's checksum is not.

    Args:
        path: A CSV table that has exactly these columns.
        columns: Their names.
        part: Number of the part, from 0 on.
        parts: How many there are.

    Raises:
        ValueError: The file is missing, no CSV, or has other columns.
    """
    with _opened(path, columns) as (file, header):
        rest = path.stat().st_size - len(header)
        begin, end = (len(header) + rest * number // parts for number in (part, part + 1))
        # A row belongs to the part in which it begins.
        file.seek(begin - 1)
        file.readline()
        return list(_parsed(_until(file, end), len(columns), path))


def _open(path: Path) -> IO[bytes]:
    with readable_table(path):
        return path.open("rb")


@contextmanager
def _opened(path: Path, columns: Sequence[str]) -> Iterator[tuple[IO[bytes], bytes]]:
    """Yield a table behind its header, and the header."""
    with _open(path) as file:
        header = file.readline()
        if header.decode("utf-8-sig", errors="replace").rstrip("\r\n") != ",".join(columns):
            raise ValueError(
                f"table {path} does not begin with the columns {','.join(columns)}; delete it and "
                "make it again"
            )
        yield file, header


def _hashed(lines: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


def _until(file: IO[bytes], end: int) -> Iterator[bytes]:
    while file.tell() < end and (line := file.readline()):
        yield line


def _parsed(lines: Iterable[bytes], length: int, path: Path) -> Iterator[list[str]]:
    try:
        for row in csv.reader((line.decode() for line in lines), strict=True):
            if len(row) != length:
                raise csv.Error(f"a row of {len(row)} cells")
            yield row
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(
            f"table {path} is no CSV file of {length} columns in every row ({error}); delete it "
            "and make it again"
        ) from None
