"""Names of annotators."""

import re
import unicodedata
from collections.abc import Collection

LONGEST = 40
# What may stand in a file's name everywhere and does not separate votes in the decisions file.
ALLOWED = re.compile(r"(?:[^\W_]|[ ._-])+")
SETTLES = " settles"
"""What follows the name of who settles a disagreement, in the votes of the decisions file."""
BY_HAND = "by hand"
"""Who decided what was written into the decisions file without the page."""


def annotator_name(text: str, *, known: Collection[str]) -> str:
    """Return the name as it is stored: without spaces at its ends, in Unicode's composed form.

    Args:
        text: What a person typed.
        known: The names there are.

    Raises:
        ValueError: It is empty, too long, has other characters or ends as a vote does, or differs
            from a known one only in upper and lower case.
    """
    name = unicodedata.normalize("NFC", text).strip()
    fits = 1 <= len(name) <= LONGEST and ALLOWED.fullmatch(name)
    if not fits or name.startswith(".") or name.endswith(SETTLES):
        raise ValueError(
            f"{text[: 2 * LONGEST]!r} is no name for an annotator: use 1 to {LONGEST} letters, "
            f"digits, spaces and . _ - (no dot first, not{SETTLES} last)"
        )
    for other in known:
        # Each has a file, and not every file system tells them apart.
        if other != name and other.casefold() == name.casefold():
            raise ValueError(f"there is an annotator {other} already: take that name, or another")
    return name
