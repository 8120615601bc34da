"""Checksums of files: as published, or as recorded at the first download."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from wsss.progress import progress
from wsss.store.atomic import atomic_path
from wsss.store.rows import checksum_path

BLOCK = 10**6


def digests(path: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Return a file's checksums, hexadecimal, by the names that hashlib gives them."""
    # An md5 is compared with here; where it is forbidden as a cipher, that is still allowed.
    found = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    total = -(-path.stat().st_size // BLOCK)
    for block in progress(
        _blocks(path), total=total, description=f"checking {path.stem}", unit="MB"
    ):
        for digest in found.values():
            digest.update(block)
    return {name: digest.hexdigest() for name, digest in found.items()}


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def recorded(path: Path) -> str:
    """Return the sha256 that an earlier download of a file left beside it, or ""."""
    beside = checksum_path(path)
    return beside.read_text("utf-8").split()[0] if beside.is_file() else ""


def record(path: Path, sha256: str) -> None:
    """Write a file's sha256 beside it, as `sha256sum -c` reads it."""
    with atomic_path(checksum_path(path)) as temporary:
        temporary.write_text(f"{sha256}  {path.name}\n", "utf-8")
