"""`wsss fetch`: data sets and ImageNet weights, downloaded to where the workflow reads them."""

from collections.abc import Sequence

from wsss.fetch.catalogue import Entry, entry_of, read_catalogue
from wsss.fetch.entries import fetch
from wsss.fetch.room import size_text


def fetch_all(names: Sequence[str]) -> None:
    """Fetch entries of the catalogue one after the other, into the working directory.

    Raises:
        ValueError: No name is given or one is unknown, or an entry cannot be fetched.
    """
    catalogue = read_catalogue()
    if not names:
        raise ValueError(f"say what to fetch: {', '.join(catalogue)}; --list tells more of each")
    for name in names:
        entry_of(name, catalogue)
    for name in names:
        fetch(name)


def listing() -> str:
    """Return what can be fetched, two lines for each: name, size, place, what it is; licence."""
    entries = list(read_catalogue().values())
    width = max(len(entry.name) for entry in entries)
    places = max(len(str(entry.folder)) for entry in entries)
    lines = []
    for entry in entries:
        place = str(entry.folder)
        lines.append(
            f"{entry.name:<{width}}  {_size(entry):>15}  {place:<{places}}  {entry.title}\n"
        )
        lines.append(f"{'':<{width}}  licence: {entry.licence}\n")
    return "".join(lines)


def _size(entry: Entry) -> str:
    if entry.images:
        return f"{size_text(entry.images.mean_size)} an image"
    if all(file.by_hand for file in entry.files):
        return "placed by hand"
    return size_text(entry.known_bytes) if entry.known_bytes else "unknown"
