"""Mirrors: other addresses for what stands in the catalogue."""

import os

MIRRORS = "WSSS_FETCH_MIRRORS"
"""Environment variable: `address=mirror` pairs with spaces between, each a start of addresses."""
SCHEMES = ("http://", "https://")


def mirrored(address: str) -> str:
    """Return where an address is asked: at the mirror of its longest start that has one.

    With WSSS_FETCH_MIRRORS="http://images.cocodataset.org=https://mirror.example/coco",
    http://images.cocodataset.org/zips/val2017.zip becomes
    https://mirror.example/coco/zips/val2017.zip.

    Raises:
        ValueError: The variable holds something else.
    """
    starts = [(start, mirror) for start, mirror in _pairs() if _below(address, start)]
    if not starts:
        return address
    start, mirror = max(starts, key=lambda pair: len(pair[0]))
    return mirror + address.removeprefix(start)


def _below(address: str, start: str) -> bool:
    # Not http://a.org.evil.net for a start of http://a.org.
    return address == start or address.startswith(start + "/")


def _pairs() -> list[tuple[str, str]]:
    pairs = []
    for text in os.environ.get(MIRRORS, "").split():
        start, equals, mirror = text.partition("=")
        if not equals or not start.startswith(SCHEMES) or not mirror.startswith(SCHEMES):
            raise ValueError(
                f"{MIRRORS} holds {text!r}; write pairs as "
                "http://images.cocodataset.org=https://mirror.example/coco, with spaces between"
            )
        pairs.append((start.rstrip("/"), mirror.rstrip("/")))
    return pairs
