"""A file of the catalogue: downloaded, verified, and at its place."""

import logging
from collections.abc import Mapping
from pathlib import Path

from wsss.disk import write_errors
from wsss.fetch.catalogue import RemoteFile
from wsss.fetch.checksums import digests, record, recorded
from wsss.fetch.download import download
from wsss.fetch.http_get import RefusedError
from wsss.fetch.mirrors import MIRRORS, mirrored
from wsss.fetch.part import Offer, Part
from wsss.fetch.unpack import unpack
from wsss.store.rows import checksum_path

log = logging.getLogger(__name__)


def is_placed(file: RemoteFile, folder: Path) -> bool:
    """Return whether all that a file brings is at its place.

    Raises:
        ValueError: A link to nothing stands there, or a file of another size.
    """
    return not _missing(file, folder)


def is_fetched(file: RemoteFile, folder: Path) -> bool:
    """Return whether nothing is left to do for a file, not even to take its part away.

    Raises:
        ValueError: As in `is_placed`.
    """
    return is_placed(file, folder) and not Part(folder / file.name).path.exists()


def refuse_dangling_link(path: Path) -> None:
    """Refuse a place that is, or that lies in, a link to nothing.

    Raises:
        ValueError: It is one.
    """
    for place in (path, *path.parents):
        if place.is_symlink() and not place.exists():
            raise ValueError(f"{place} is a link to nothing; mend it, or delete it and start again")


def _missing(file: RemoteFile, folder: Path) -> dict[str, Path]:
    """Return where something of a file belongs and nothing is yet; what stands there is left alone.

    Returns:
        The places by what belongs there: a file or folder of the archive, or the file itself.

    Raises:
        ValueError: As in `is_placed`.
    """
    named = file.unpack or {file.name: file.name}
    places = {source: folder / place for source, place in named.items()}
    for path in places.values():
        refuse_dangling_link(path)
    found = folder / file.name
    if not file.unpack and file.size and found.exists() and found.stat().st_size != file.size:
        raise ValueError(
            f"{found} has {found.stat().st_size} bytes, but the file that is expected there has "
            f"{file.size}; move it away and start again"
        )
    return {source: path for source, path in places.items() if not path.exists()}


def fetch_file(file: RemoteFile, folder: Path) -> None:
    """Bring a file, or what is in it, to its place. Only one process at a time does this.

    Args:
        file: What to bring.
        folder: Of its entry; exists.

    Raises:
        ValueError: A person must place it, it cannot be downloaded, it is not what was published,
            or the disk does not take it.
    """
    part = Part(folder / file.name)
    missing = _missing(file, folder)
    if missing and file.unpack:
        archive = _archive(file, folder, part)
        unpack(archive, missing, limit=file.unpacked)
    elif missing:
        _obtain(file, folder, part)
        with write_errors(folder / file.name, part.path):
            part.path.replace(folder / file.name)
    # An archive that a person placed stays; this one's work is done.
    part.discard()


def _archive(file: RemoteFile, folder: Path, part: Part) -> Path:
    """Return a verified archive: the one that a person placed, or else one that is downloaded."""
    placed = folder / file.name
    if not placed.is_file():
        _obtain(file, folder, part)
        # Archives are told apart by their suffix.
        return part.path
    if reason := _mismatch(placed, file.checksums):
        raise ValueError(f"{placed} is not the file that was published: {reason}; move it away")
    return placed


def _obtain(file: RemoteFile, folder: Path, part: Part) -> None:
    """Complete and verify a part, from the first address that gives the right file.

    Raises:
        ValueError: There is no address, or none gives it.
    """
    if not file.addresses:
        raise ValueError(
            f"{file.name} must be placed by hand, for {file.by_hand}; put it at "
            f"{folder / file.name} and start again"
        )
    reasons = []
    for address in _in_order(file, part):
        log.info("%s: from %s", file.name, address)
        try:
            offer = download(part, address, size=file.size)
            _verify(file, folder, part, offer)
            return
        except RefusedError as error:
            log.warning("%s: not from %s: %s", file.name, address, error)
            reasons.append(f"from {address}: {error}")
    raise ValueError(
        f"{file.name} cannot be downloaded ({'; '.join(reasons)}); start again later, which goes "
        f"on with what has arrived, set {MIRRORS} to a mirror, or put the file at "
        f"{folder / file.name}"
    )


def _in_order(file: RemoteFile, part: Part) -> list[str]:
    """Return the addresses, that of what has arrived first."""
    addresses = [mirrored(address) for address in file.addresses]
    offer = part.offer()
    return sorted(addresses, key=lambda address: not offer or address != offer.address)


def _verify(file: RemoteFile, folder: Path, part: Part, offer: Offer) -> None:
    """Compare a download with what was published, or else with what its server says of it.

    Where nobody publishes a checksum, its sha256 is recorded, and later downloads are held to it.

    Raises:
        RefusedError: They differ; the part is gone.
    """
    target = folder / file.name
    earlier = "" if file.checksums else recorded(target)
    known = {"md5": offer.md5, "sha256": earlier}
    expected = file.checksums or {name: digest for name, digest in known.items() if digest}
    if reason := _mismatch(part.path, expected):
        part.discard()
        of_ours = f"; if the source changed, delete {checksum_path(target)}" if earlier else ""
        raise RefusedError(f"it is another file, {reason}, and was deleted{of_ours}")
    if not file.checksums and not earlier:
        size = "nothing" if offer.size is None else "its size"
        held_to = "the md5 that its server sends along" if offer.md5 else size
        log.warning(
            "nobody publishes a checksum of %s: it was held to %s, and its sha256 is now in %s",
            *(file.name, held_to, checksum_path(target)),
        )
        record(target, digests(part.path, ["sha256"])["sha256"])


def _mismatch(path: Path, expected: Mapping[str, str]) -> str:
    """Return how a file differs from its checksums, or ""."""
    found = digests(path, expected) if expected else {}
    return ", ".join(
        f"its {algorithm} is {found[algorithm]} instead of {digest}"
        for algorithm, digest in expected.items()
        if found[algorithm] != digest
    )
