"""Archives for the tests, of any kind."""

import io
import tarfile
import zipfile

FILES = {
    "top/images/a.jpg": b"a" * 5000,
    "top/images/deep/b.jpg": b"b" * 600,
    "top/list.txt": b"a\nb\n",
    "top/other/c.txt": b"not wanted",
}
LIMIT = 10**6


def info(name, kind=tarfile.REGTYPE, target="", size=0, mode=0o644):
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size, found.mode = kind, target, size, mode
    return found


def write_tar(path, files, extra=(), mode="w"):
    """Write a tar of files and then further members, (TarInfo, content)."""
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            tar.addfile(info(name, size=len(content)), io.BytesIO(content))
        for member, content in extra:
            tar.addfile(member, io.BytesIO(content))


def write_zip(path, files, extra=()):
    """Write a zip of files and then further members, (name, content, mode)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, content, mode in extra:
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, content)


def write_archive(path, files):
    if path.name.endswith(".zip"):
        write_zip(path, files)
    else:
        write_tar(path, files, mode="w:gz" if path.suffix == ".tgz" else "w")
    return path
