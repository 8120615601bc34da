"""A file on its way: what has arrived of it, and who sends it."""

import json
from dataclasses import asdict, dataclass
from http.client import HTTPResponse
from pathlib import Path

from wsss.fetch.http_get import md5_of, size_of
from wsss.store.atomic import atomic_path

PART_SUFFIX = ".part"


@dataclass(frozen=True)
class Offer:
    """What a server says of a file before it sends it; what it does not say is None or empty.

    `size` is in bytes, `md5` in hexadecimal digits.
    """

    address: str
    size: int | None
    etag: str
    last_modified: str
    md5: str

    @property
    def validator(self) -> str:
        """What a server can tell the file's present state by, or "".

        An ETag that starts with W/ says that two files are alike, not that their bytes are equal.
        """
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def is_same_file(self, other: "Offer") -> bool:
        """Return whether nothing that both offers say of the file differs."""
        said = ("size", "etag", "last_modified", "md5")
        pairs = [(getattr(self, key), getattr(other, key)) for key in said]
        return all(own == others for own, others in pairs if own and others)


def offer_in(address: str, response: HTTPResponse) -> Offer:
    """Return what an answer, of the whole file or of a range, says of the whole."""
    headers = response.headers
    size = size_of(headers)
    if response.status == 206:
        total = headers.get("Content-Range", "").rpartition("/")[2]
        size = int(total) if total.isdecimal() else None
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    return Offer(address, size, etag, modified, md5_of(headers))


class Part:
    """What has arrived of a file, `<name>.part`, and beside it the offer that it belongs to.

    Args:
        target: Where the file itself will stand.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + PART_SUFFIX)
        self.note = target.with_name(f"{self.path.name}.json")

    def held(self) -> int:
        """Return how many bytes have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def offer(self) -> Offer | None:
        """Return whose bytes these are, or None where nobody knows."""
        try:
            return Offer(**json.loads(self.note.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def begin(self, offer: Offer) -> None:
        """Start anew; in this order, so that no bytes are ever taken for another offer's."""
        self.path.unlink(missing_ok=True)
        with atomic_path(self.note) as temporary:
            temporary.write_text(json.dumps(asdict(offer)), "utf-8")

    def discard(self) -> None:
        """Take both files away."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
