"""Names of annotators."""

import re
import unicodedata
from collections.abc import Collection

LONGEST = 40
# What may stand in a file's name everywhere and does not separate votes in the decisions file.
ALLOWED = re.compile(r"(?:[^\W_]|[ ._-])+")
BY_HAND = "by hand"
"""Who decided what was written into the decisions file without the page."""


def annotator_name(text: str, *, known: Collection[str]) -> str:
    """Return the name as it is stored: without spaces at its ends, in Unicode's composed form.

    Args:
        text: What a person typed.
        known: The names there are.

    Raises:
        ValueError: It is empty, too long or has other characters, or differs from a known one only
            in upper and lower case.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= LONGEST or not ALLOWED.fullmatch(name) or name.startswith("."):
        raise ValueError(
            f"{text[: 2 * LONGEST]!r} is no name for an annotator: use 1 to {LONGEST} letters, "
            "digits, spaces and . _ - (no dot first)"
        )
    for other in known:
        # Each has a file, and not every file system tells them apart.
        if other != name and other.casefold() == name.casefold():
            raise ValueError(f"there is an annotator {other} already: take that name, or another")
    return name
