"""An entry of the catalogue, fetched from start to end."""

import logging
from pathlib import Path

from wsss.disk import check_writable
from wsss.fetch.catalogue import Entry, RemoteFile, entry_of, read_catalogue
from wsss.fetch.files import fetch_file, is_fetched, is_placed, refuse_dangling_link
from wsss.fetch.images import fetch_images, missing_images
from wsss.fetch.part import Part
from wsss.fetch.room import check_room
from wsss.holds import take_hold

log = logging.getLogger(__name__)


def fetch(name: str) -> None:
    """Bring everything of an entry to its place, which is relative to the working directory.

    What is there is left alone; what is under way goes on where it ended. While another process
    fetches the same, this one waits.

    Args:
        name: As in catalogue.yaml.

    Raises:
        ValueError: Nothing has this name, or it cannot be fetched; the text says why.
    """
    entry = entry_of(name, read_catalogue())
    if is_complete(entry):
        log.info("%s: %s has all of it already", name, entry.folder)
        return
    refuse_dangling_link(entry.folder)
    log.info("%s: %s", name, entry.title)
    log.info("licence: %s", entry.licence)
    check_writable(entry.folder)
    if said := take_hold(entry.folder / f".fetch_{name}"):
        log.warning(said)
    check_room(entry.folder, _needed(entry), f"fetching {name}")
    for file in entry.files:
        fetch_file(file, entry.folder)
    if entry.images:
        fetch_images(entry.images, entry.folder)
    log.info("%s: complete in %s", name, entry.folder)


def is_complete(entry: Entry) -> bool:
    """Return whether everything of an entry is at its place.

    Raises:
        ValueError: Something else stands there, or a list that a person writes is missing.
    """
    if entry.images:
        return not missing_images(entry.images, entry.folder)
    return all(is_fetched(file, entry.folder) for file in entry.files)


def _needed(entry: Entry) -> int:
    """Return how many bytes the disk needs at most at once, as far as sizes are known.

    An archive is deleted once it is unpacked, before the next one comes.
    """
    kept = most = 0
    for file in entry.files:
        if not is_placed(file, entry.folder):
            load = _to_load(file, entry.folder)
            most = max(most, kept + load + file.unpacked)
            kept += file.unpacked or load
    return most


def _to_load(file: RemoteFile, folder: Path) -> int:
    placed = (folder / file.name).exists()
    return 0 if placed else max((file.size or 0) - Part(folder / file.name).held(), 0)
