"""What an archive holds, each member looked at before anything of it is written.

An archive is a program of a kind: it says where to write. Members that would leave the folder, that
are no files, folders or links, or that are larger than they may be, are refused.
"""

import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import IO, Literal

from wsss.fetch.part import PART_SUFFIX

ZIP = ".zip"
MOST_MEMBERS = 2_000_000
LONGEST_LINK = 4096
UNREADABLE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, UnicodeError, NotImplementedError, RuntimeError),
)
Kind = Literal["file", "folder", "symlink", "hardlink"]


@dataclass(frozen=True)
class Member:
    """A member of an archive.

    Attributes:
        path: Where it stands in the archive; relative, and without "..".
        kind: What it is.
        size: Of its content, bytes.
        target: Of a link, as it stands in the archive.
        open: Opens the content of a file.
    """

    path: PurePosixPath
    kind: Kind
    size: int
    target: str
    open: Callable[[], IO[bytes]]


def members(
    archive: Path, *, limit: int, opened: Collection[PurePosixPath] = ()
) -> Iterator[Member]:
    """Yield the members of an archive, each of which may be written.

    Read a member's content before the next one is asked for.

    Args:
        archive: A .zip, .tar, .tgz or .tar.gz file, or one that still has .part behind its name.
        limit: Bytes that all members together may have.
        opened: Members of a .zip that are .zip files themselves and count as folders: their members
            come in their place.

    Raises:
        ValueError: A member may not be written, there are too many of them or too large ones, or
            the archive is broken.
    """
    total = count = 0
    is_zip = archive.name.removesuffix(PART_SUFFIX).endswith(ZIP)
    found = _zip_members(archive, archive, opened) if is_zip else _tar_members(archive)
    with readable(archive):
        for member in found:
            _check_link(archive, member)
            count, total = count + 1, total + member.size
            if total > limit or count > MOST_MEMBERS:
                reason = f"with which it has more than {limit:,} bytes or {MOST_MEMBERS:,} files"
                raise refused(archive, str(member.path), reason)
            yield member


def refused(archive: Path, name: str, reason: str) -> ValueError:
    """Return the error that says why an archive is not unpacked.

    Args:
        archive: The archive.
        name: Of the member that is the reason.
        reason: What is wrong with it, as a clause.
    """
    return ValueError(
        f"archive {archive} holds {name!r}, {reason}: nothing of it was unpacked; delete it and "
        "get it from a source that you trust"
    )


@contextmanager
def readable(archive: Path) -> Iterator[None]:
    """Turn what a broken archive raises into one sentence.

    Raises:
        ValueError: The block could not read the archive.
    """
    try:
        yield
    except (*UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            # Of the disk; what is wrong with compressed data comes without a number.
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"archive {archive} cannot be read ({reason}): nothing of it was unpacked; delete it "
            "and fetch it again"
        ) from None


def _check_link(archive: Path, member: Member) -> None:
    """Refuse a link that leads out of the archive's own folder."""
    if member.kind in ("file", "folder"):
        return
    # A hard link is named from the top of the archive, a symbolic one from where it stands.
    start = PurePosixPath() if member.kind == "hardlink" else member.path.parent
    target = normpath(start / member.target)
    if not member.target or target.startswith(("/", "../")) or target == "..":
        reason = f"a link to {member.target!r}, outside of the folder"
        raise refused(archive, str(member.path), reason)


def _path(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise refused(archive, name, "a path outside of the folder")
    return path


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r:*") as tar:
        for info in tar:
            kind = _tar_kind(info)
            if kind is None:
                raise refused(archive, info.name, "which is a device or a pipe")

            def opened(info: tarfile.TarInfo = info) -> IO[bytes]:
                found = tar.extractfile(info)
                if found is None:
                    raise tarfile.ReadError(f"{info.name} has no content")
                return found

            size = info.size if kind == "file" else 0
            yield Member(_path(archive, info.name), kind, size, info.linkname, opened)
        _check_end(tar)


def _tar_kind(info: tarfile.TarInfo) -> Kind | None:
    if info.isdir():
        return "folder"
    if info.issym():
        return "symlink"
    if info.islnk():
        return "hardlink"
    return "file" if info.isreg() else None


def _check_end(tar: tarfile.TarFile) -> None:
    """Refuse an archive that is cut off, or broken in between: `tarfile` takes that for its end.

    Raises:
        tarfile.ReadError: There is no end mark.
    """
    # Two blocks of zeros: the first one was read. (Going back in a compressed file would mean to
    # decompress all of it again.)
    file = tar.fileobj
    if file is None or file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it is cut off or damaged")
    # The checksum of a compressed one stands at its very end.
    while file.read(2**20):
        pass


def _zip_members(
    archive: Path, content: Path | IO[bytes], opened: Collection[PurePosixPath]
) -> Iterator[Member]:
    with zipfile.ZipFile(content) as file:
        # In the order of their places: an archive within another cannot go back without effort.
        for info in sorted(file.infolist(), key=lambda info: info.header_offset):
            mode = info.external_attr >> 16
            if info.flag_bits & 1:
                raise refused(archive, info.filename, "which is encrypted")
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
                raise refused(archive, info.filename, "which is a device or a pipe")
            kind: Kind = "folder" if info.is_dir() else "file"
            target = ""
            if stat.S_ISLNK(mode):
                kind, target = "symlink", _zip_target(file, info)

            def reading(info: zipfile.ZipInfo = info) -> IO[bytes]:
                return file.open(info)

            path = _path(archive, info.filename)
            if kind == "file" and path in opened:
                with reading() as inner:
                    for member in _zip_members(archive, inner, ()):
                        yield replace(member, path=path / member.path)
            else:
                yield Member(path, kind, info.file_size, target, reading)


def _zip_target(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with file.open(info) as content:
        return content.read(LONGEST_LINK).decode(errors="surrogateescape")
