"""Archives unpacked, each file and folder of them whole or not at all."""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wsss.disk import write_errors
from wsss.fetch.members import ZIP, Member, members, readable, refused
from wsss.fetch.room import check_room, size_text
from wsss.progress import progress

log = logging.getLogger(__name__)

BLOCK = 2**20
TWICE = "which comes twice, or as a file and as a folder"
DANGLING = "a link to nothing that is unpacked"


@dataclass(frozen=True)
class _Place:
    """Where a file or folder of an archive goes: first beside its place, then there."""

    source: PurePosixPath
    target: Path

    @property
    def temporary(self) -> Path:
        return self.target.with_name(f".{self.target.name}.unpacking")

    def draft(self, path: PurePosixPath) -> Path | None:
        """Return where a member is written first, or None if it does not belong here."""
        if not path.is_relative_to(self.source):
            return None
        return self.temporary / path.relative_to(self.source)


def unpack(archive: Path, unpack_to: Mapping[str, Path], *, limit: int) -> None:
    """Unpack files and folders of an archive; what else it holds is looked at, but not written.

    Every member is checked before the first one is written. Files get the permissions of this
    process and the date of today, whatever the archive says.

    Args:
        archive: A .zip, .tar, .tgz or .tar.gz file.
        unpack_to: Where to, by file or folder in the archive; nothing stands there yet. Only one
            process at a time does this. A .zip within a .zip counts as a folder where something
            below it is named.
        limit: Bytes that all members of the archive together may have.

    Raises:
        ValueError: The archive holds something that may not be written, lacks something, is broken
            or too large for the disk.
    """
    places = [_Place(PurePosixPath(source), target) for source, target in unpack_to.items()]
    count = _survey(archive, places, limit)
    drafts = _Drafts(archive, places)
    try:
        with write_errors(archive.parent, *(place.temporary for place in places)):
            drafts.clear()
            listed = members(archive, limit=limit, opened=_opened(places))
            name = f"unpacking {archive.name}"
            for member in progress(listed, total=count, description=name, unit="files"):
                drafts.write(member)
            drafts.link()
            # Once for all files: a folder at its place is whole, also after a power failure.
            os.sync()
            for place in places:
                place.temporary.rename(place.target)
    finally:
        drafts.clear()


def _opened(places: list[_Place]) -> set[PurePosixPath]:
    """Return the archives within the archive of which something is to be unpacked."""
    return {above for place in places for above in place.source.parents if above.suffix == ZIP}


def _survey(archive: Path, places: list[_Place], limit: int) -> int:
    """Check an archive without writing anything, and return how many members it has.

    Raises:
        ValueError: Something in it may not be written or is missing, or it does not fit the disk.
    """
    missing = {place.source for place in places}
    count = size = 0
    for member in members(archive, limit=limit, opened=_opened(places)):
        count += 1
        if any(place.draft(member.path) for place in places):
            size += member.size
            missing -= {member.path, *member.path.parents}
    if missing:
        names = ", ".join(sorted(map(str, missing)))
        raise ValueError(
            f"archive {archive} does not hold {names}: it is not the one that is expected; delete "
            "it and fetch it again"
        )
    check_room(archive.parent, size, f"unpacking {archive.name}")
    log.info("%s: %d files and folders, %s to unpack", archive.name, count, size_text(size))
    return count


class _Drafts:
    """The files and folders of an archive beside their places."""

    def __init__(self, archive: Path, places: list[_Place]) -> None:
        self.archive = archive
        self.places = places
        self.links: list[tuple[Path, Member]] = []

    def clear(self) -> None:
        """Take away what is there, of this process or of one that was killed."""
        for place in self.places:
            place.target.parent.mkdir(parents=True, exist_ok=True)
            if place.temporary.is_dir() and not place.temporary.is_symlink():
                shutil.rmtree(place.temporary)
            else:
                place.temporary.unlink(missing_ok=True)

    def write(self, member: Member) -> None:
        """Write a member; links wait, so that nothing is ever written through one."""
        for draft in self._drafts(member.path):
            try:
                draft.parent.mkdir(parents=True, exist_ok=True)
                if member.kind == "folder":
                    draft.mkdir(exist_ok=True)
                elif member.kind == "file":
                    self._copy(member, draft)
                else:
                    self.links.append((draft, member))
            except (FileExistsError, NotADirectoryError):
                raise refused(self.archive, str(member.path), TWICE) from None

    def _copy(self, member: Member, draft: Path) -> None:
        with readable(self.archive), member.open() as content, draft.open("xb") as file:
            shutil.copyfileobj(content, file, BLOCK)

    def link(self) -> None:
        """Make the links; each must lead to something that was unpacked."""
        for draft, member in self.links:
            if os.path.lexists(draft):
                raise refused(self.archive, str(member.path), TWICE)
            if member.kind == "hardlink":
                draft.hardlink_to(self._hard_target(member))
            else:
                draft.symlink_to(member.target)
        roots = [place.temporary.resolve() for place in self.places]
        for draft, member in self.links:
            # Links may lead through links, which no look at one of them tells.
            found = draft.resolve()
            if not any(found.is_relative_to(root) for root in roots) or not found.exists():
                raise refused(self.archive, str(member.path), DANGLING)

    def _hard_target(self, member: Member) -> Path:
        for target in self._drafts(PurePosixPath(member.target)):
            if target.is_file() and not target.is_symlink():
                return target
        raise refused(self.archive, str(member.path), DANGLING)

    def _drafts(self, path: PurePosixPath) -> Iterator[Path]:
        for place in self.places:
            if draft := place.draft(path):
                yield draft
