"""One file from one address, in as many pieces as it takes."""

import logging
import os
from collections.abc import Iterator
from http.client import HTTPResponse

from wsss.disk import write_errors
from wsss.fetch.http_get import BrokenError, Patience, RefusedError, blocks, opened
from wsss.fetch.part import Offer, Part, offer_in
from wsss.fetch.room import check_room, size_text
from wsss.progress import progress

log = logging.getLogger(__name__)

MB = 10**6
RANGE_NOT_SATISFIABLE = 416
PARTIAL_CONTENT = 206


def download(part: Part, address: str, *, size: int | None) -> Offer:
    """Complete a part from an address; what has arrived from there before is not sent again.

    A server that does not know ranges, or whose file is another one by now, sends all of it again.

    Args:
        part: The file on its way.
        address: Where it can be had.
        size: Bytes that it must have, or None where nobody says so.

    Returns:
        What the server said of it.

    Raises:
        RefusedError: The address does not give it, or a file of another size, or the connection
            breaks again and again without bringing anything.
        ValueError: The disk does not take it.
    """
    offer = part.offer()
    if offer is None or offer.address != address:
        part.discard()
    furthest = part.held()
    patience = Patience(part.path.stem)
    while True:
        try:
            return _go_on(part, address, size)
        except BrokenError as error:
            if part.held() > furthest:
                furthest = part.held()
                patience.renew()
            patience.wait(error)


def _go_on(part: Part, address: str, size: int | None) -> Offer:
    """Ask for what is missing, and write it as it comes."""
    known, held = part.offer(), part.held()
    if known and known.size == held > 0:
        return known
    try:
        with opened(address, _range_headers(known, held)) as response:
            offer = offer_in(address, response)
            if size is not None and offer.size not in (None, size):
                raise RefusedError(f"its file has {offer.size} bytes, not {size}")
            if response.status == PARTIAL_CONTENT:
                offer = _checked(part, known, offer, response)
            else:
                if held:
                    log.info("%s: the server sends all of it again", part.path.stem)
                part.begin(offer)
            _write(part, offer, response)
    except RefusedError as error:
        if error.status != RANGE_NOT_SATISFIABLE:
            raise
        part.discard()
        raise BrokenError("the server's file is shorter than what has arrived") from None
    return offer


def _range_headers(known: Offer | None, held: int) -> dict[str, str]:
    if known is None or not held:
        return {}
    condition = {"If-Range": known.validator} if known.validator else {}
    return {"Range": f"bytes={held}-"} | condition


def _checked(part: Part, known: Offer | None, offer: Offer, response: HTTPResponse) -> Offer:
    """Return the offer that a piece belongs to, if the piece follows what is there.

    Raises:
        BrokenError: It is of another file, or of another place in it; the part is gone.
    """
    starts = f"bytes {part.held()}-"
    if known is None or not response.headers.get("Content-Range", "").startswith(starts):
        part.discard()
        raise BrokenError("the server sent another piece than the one asked for")
    if not known.is_same_file(offer):
        part.discard()
        raise BrokenError("the file has changed at its source since its first piece came")
    return known


def _write(part: Part, offer: Offer, response: HTTPResponse) -> None:
    """Append a body to the part.

    Raises:
        BrokenError: It ended early, or went on for too long.
    """
    name = part.path.stem
    held = part.held()
    if offer.size is not None:
        check_room(part.path.parent, offer.size - held, name)
    if held:
        log.info("%s: going on after %s", name, size_text(held))
    with write_errors(part.path):
        millions = _written(part, response)
        if offer.size is None:
            arrived = sum(1 for _ in millions)
            log.info("%s: %d MB, of a size that its server does not say", name, arrived)
        else:
            total = -(-(offer.size - held) // MB)
            for _ in progress(millions, total=total, description=name, unit="MB"):
                pass
    if offer.size is not None and part.held() != offer.size:
        if part.held() > offer.size:
            part.discard()
            raise BrokenError(f"the server sent more than the {offer.size} bytes that it announced")
        raise BrokenError(f"the connection ended after {size_text(part.held())}")


def _written(part: Part, response: HTTPResponse) -> Iterator[None]:
    """Write a body and yield at each million bytes, and for the rest; then it is on the disk."""
    pending = 0
    # No buffer: what has arrived stays, whatever becomes of this process.
    with part.path.open("ab", buffering=0) as file:
        for block in blocks(response):
            _write_all(file.fileno(), block)
            pending += len(block)
            for _ in range(pending // MB):
                yield
            pending %= MB
        os.fsync(file.fileno())
    if pending:
        yield


def _write_all(descriptor: int, block: bytes) -> None:
    # The system may write less than it is given, as where the disk fills up.
    while block:
        block = block[os.write(descriptor, block) :]
