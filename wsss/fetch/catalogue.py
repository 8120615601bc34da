"""What can be fetched: the entries of catalogue.yaml."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

CATALOGUE = Path(__file__).with_name("catalogue.yaml")


@dataclass(frozen=True)
class RemoteFile:
    """A file that is downloaded, or placed by hand; the keys are those of catalogue.schema.yaml.

    `unpack` says for an archive where its files and folders go.
    """

    name: str
    addresses: tuple[str, ...] = ()
    by_hand: str = ""
    size: int | None = None
    about_mb: int | None = None
    md5: str = ""
    sha256: str = ""
    unpacked: int = 0
    unpack: Mapping[str, str] = field(default_factory=dict)

    @property
    def checksums(self) -> dict[str, str]:
        """The published checksums by algorithm, the stronger one first."""
        known = {"sha256": self.sha256, "md5": self.md5}
        return {algorithm: digest for algorithm, digest in known.items() if digest}


@dataclass(frozen=True)
class ImageBucket:
    """Images of which a list names those that are wanted; keys as in catalogue.schema.yaml."""

    list: str
    address: str
    splits: tuple[str, ...]
    mean_size: int


@dataclass(frozen=True)
class Entry:
    """One name that can be fetched."""

    name: str
    title: str
    licence: str
    folder: Path
    files: tuple[RemoteFile, ...] = ()
    images: ImageBucket | None = None

    @property
    def known_bytes(self) -> int:
        """What a download transfers, bytes, as far as the sizes of its files are known."""
        return sum(file.size or (file.about_mb or 0) * 10**6 for file in self.files)


def read_catalogue(path: Path = CATALOGUE) -> dict[str, Entry]:
    """Return the entries by name, in the order of the file."""
    return {
        name: _entry(name, keys) for name, keys in yaml.safe_load(path.read_text("utf-8")).items()
    }


def names_in_catalogue(path: Path = CATALOGUE) -> list[str]:
    """Return the names of the entries, in a hundredth of the time that reading them takes."""
    return re.findall(r"^([a-z][a-z0-9_]*):$", path.read_text("utf-8"), re.MULTILINE)


def entry_of(name: str, catalogue: Mapping[str, Entry]) -> Entry:
    """Return one entry.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in catalogue:
        close = get_close_matches(name, catalogue, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise ValueError(f"{name} cannot be fetched; {guess}known are {', '.join(catalogue)}")
    return catalogue[name]


def entry_with(path: Path) -> str | None:
    """Return the name of the entry that brings a file to this path, if one does."""
    for entry in read_catalogue().values():
        for file in entry.files:
            places = file.unpack.values() or [file.name]
            if path in (entry.folder / place for place in places):
                return entry.name
    return None


def _entry(name: str, keys: Mapping[str, Any]) -> Entry:
    images = keys.get("images")
    return Entry(
        name=name,
        title=keys["title"],
        licence=keys["licence"],
        folder=Path(keys["folder"]),
        files=tuple(_files(keys.get("files", ()))),
        images=ImageBucket(**images | {"splits": tuple(images["splits"])}) if images else None,
    )


def _files(listed: list[Mapping[str, Any]]) -> Iterator[RemoteFile]:
    for keys in listed:
        yield RemoteFile(**{**keys, "addresses": tuple(keys.get("addresses", ()))})
