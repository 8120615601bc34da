"""Archives: whole, broken, and with members that lead elsewhere."""

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from tests.fetch.archives import FILES, LIMIT, info, write_archive, write_tar, write_zip
from wsss.fetch import members as members_module
from wsss.fetch import unpack as module
from wsss.fetch.unpack import unpack

TAKEN = {"top/images": "images", "top/list.txt": "lists/list.txt"}
SUFFIXES = [".zip", ".tar", ".tgz"]


@pytest.fixture(autouse=True)
def synced(monkeypatch):
    """How often the disk was asked to keep everything, which on this machine takes others' time."""
    found = []
    monkeypatch.setattr(module.os, "sync", lambda: found.append(1))
    return found


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def places(folder, taken=TAKEN):
    return {source: folder / place for source, place in taken.items()}


def contents(folder):
    """The files below a folder, without archives."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("archive")
    }


def files_below(folder):
    return {path for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


def assert_refused(archive, folder, words, taken=TAKEN, limit=LIMIT):
    """Nothing may be written, inside of the folder or outside."""
    before = files_below(folder.parent)
    with pytest.raises(ValueError, match=words) as caught:
        unpack(archive, places(folder, taken), limit=limit)
    text = str(caught.value)
    assert text.startswith(f"archive {archive} ") and "\n" not in text
    assert files_below(folder.parent) == before
    assert not list(folder.parent.rglob("*.unpacking"))


def zip_bytes(files, extra=()):
    buffer = io.BytesIO()
    write_zip(buffer, files, extra)
    return buffer.getvalue()


INNER = {"top/maps.zip/maps": "maps", "top/maps.json": "maps.json"}
MAPS = {"maps/1.png": b"1" * 3000, "maps/deep/2.png": b"2" * 300_000, "other/3.png": b"3"}


def test_an_archive_within_an_archive_is_a_folder_where_it_is_named(folder):
    files = {"top/maps.zip": zip_bytes(MAPS), "top/maps.json": b"{}", "top/b.zip": b"no archive"}
    archive = folder / "archive.zip"
    write_zip(archive, files)
    unpack(archive, places(folder, INNER), limit=LIMIT)
    assert contents(folder) == {
        "maps.json": b"{}", "maps/1.png": MAPS["maps/1.png"],
        "maps/deep/2.png": MAPS["maps/deep/2.png"],
    }  # fmt: skip
    # As a file it is one.
    unpack(archive, places(folder, {"top/maps.zip": "whole.zip"}), limit=LIMIT)
    assert contents(folder)["whole.zip"] == files["top/maps.zip"]


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (zip_bytes({"../../out.png": b"1"}), "holds '../../out.png', a path outside"),
        (zip_bytes(MAPS, [("maps/l", b"../../../../x", stat.S_IFLNK | 0o777)]), "a link to '../"),
        (zip_bytes({"maps/1.png": b"0" * (LIMIT + 1)}), "maps.zip/maps/1.png', with which it has"),
        (zip_bytes(MAPS)[:-30], "cannot be read"),
        (b"no archive", "cannot be read"),
        (zip_bytes({"other/1.png": b"1"}), "does not hold top/maps.zip/maps: it is not the one"),
    ],
)
def test_what_an_inner_archive_may_not_hold_is_refused(folder, inner, words):
    archive = folder / "archive.zip"
    write_zip(archive, {"top/maps.zip": inner, "top/maps.json": b"{}"})
    assert_refused(archive, folder, words, taken=INNER)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_wanted_is_unpacked(folder, suffix, synced):
    archive = write_archive(folder / f"archive{suffix}", FILES)
    unpack(archive, places(folder), limit=LIMIT)
    assert contents(folder) == {
        "images/a.jpg": FILES["top/images/a.jpg"],
        "images/deep/b.jpg": FILES["top/images/deep/b.jpg"],
        "lists/list.txt": FILES["top/list.txt"],
    }
    assert synced == [1]


def test_an_archive_still_called_a_part_is_known_by_its_suffix(folder):
    archive = write_archive(folder / "archive.zip", FILES)
    archive = archive.rename(folder / "archive.zip.part")
    unpack(archive, places(folder), limit=LIMIT)
    assert (folder / "images" / "a.jpg").is_file()


def test_permissions_and_empty_folders(folder):
    archive = folder / "archive.tar"
    extra = [
        (info("./top/images/empty", tarfile.DIRTYPE, mode=0o000), b""),
        (info("top/images/run", size=3, mode=0o6777), b"abc"),
    ]
    write_tar(archive, FILES, extra)
    unpack(archive, places(folder), limit=LIMIT)
    assert (folder / "images/empty").is_dir()
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((folder / "images/run").stat().st_mode) == 0o666 & ~mask


def test_links_that_stay_inside_are_made(folder):
    archive = folder / "archive.tar"
    extra = [
        (info("top/images/deep/link.jpg", tarfile.SYMTYPE, "../a.jpg"), b""),
        (info("top/images/same.jpg", tarfile.LNKTYPE, "top/images/a.jpg"), b""),
    ]
    write_tar(archive, FILES, extra)
    unpack(archive, places(folder), limit=LIMIT)
    assert (folder / "images/deep/link.jpg").readlink() == Path("../a.jpg")
    assert (folder / "images/deep/link.jpg").read_bytes() == FILES["top/images/a.jpg"]
    assert (folder / "images/same.jpg").samefile(folder / "images/a.jpg")


OUTSIDE = "a path outside of the folder"
LINK = "a link to '.*', outside of the folder"
DEVICE = "which is a device or a pipe"
NOTHING = "a link to nothing that is unpacked"
TWICE = "which comes twice, or as a file and as a folder"


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (info("/tmp/evil", size=4), f"holds '/tmp/evil', {OUTSIDE}"),
        (info("../evil", size=4), f"holds '../evil', {OUTSIDE}"),
        (info("top/images/../../evil", size=4), f"holds 'top/images/../../evil', {OUTSIDE}"),
        (info("top/images/.."), OUTSIDE),
        (info("top/images/l", tarfile.SYMTYPE, "/etc"), f"holds 'top/images/l', {LINK}"),
        (info("top/images/l", tarfile.SYMTYPE, "../../../x"), LINK),
        (info("top/images/l", tarfile.SYMTYPE, ".."), NOTHING),
        (info("top/images/l", tarfile.SYMTYPE, "nothing.jpg"), NOTHING),
        (info("top/images/l", tarfile.SYMTYPE, ""), LINK),
        (info("elsewhere/l", tarfile.SYMTYPE, "../../x"), LINK),
        (info("top/images/l", tarfile.LNKTYPE, "/etc/passwd"), LINK),
        (info("top/images/l", tarfile.LNKTYPE, "../evil"), LINK),
        (info("top/images/l", tarfile.LNKTYPE, "top/other/c.txt"), NOTHING),
        (info("top/images/dev", tarfile.CHRTYPE), f"holds 'top/images/dev', {DEVICE}"),
        (info("elsewhere/dev", tarfile.BLKTYPE), DEVICE),
        (info("top/images/pipe", tarfile.FIFOTYPE), DEVICE),
        (info("top/images/a.jpg", size=4), TWICE),
        (info("top/images/a.jpg/b", size=4), TWICE),
        (info("top/images/a.jpg", tarfile.DIRTYPE), TWICE),
        (info("top/images/a.jpg", tarfile.SYMTYPE, "deep/b.jpg"), TWICE),
    ],
)
def test_a_tar_with_a_bad_member_is_refused(folder, member, words):
    archive = folder / "archive.tar"
    write_tar(archive, FILES, [(member, b"evil"[: member.size])])
    assert_refused(archive, folder, words)


@pytest.mark.parametrize(
    ("name", "content", "mode", "words"),
    [
        ("/tmp/evil", b"evil", 0o100644, f"holds '/tmp/evil', {OUTSIDE}"),
        ("../evil", b"evil", 0, OUTSIDE),
        ("top/../../evil", b"evil", 0, OUTSIDE),
        ("top/images/l", b"/etc", 0o120777, f"holds 'top/images/l', {LINK}"),
        ("top/images/l", b"../../../x", 0o120777, LINK),
        ("top/images/pipe", b"", 0o010644, DEVICE),
        ("top/images/a.jpg/b", b"x", 0, TWICE),
    ],
)
def test_a_zip_with_a_bad_member_is_refused(folder, name, content, mode, words):
    archive = folder / "archive.zip"
    write_zip(archive, FILES, [(name, content, mode)])
    assert_refused(archive, folder, words)


def test_nothing_is_written_through_a_link_of_the_archive(folder, tmp_path):
    """Each link stays inside by its words; together they lead out."""
    (tmp_path / "outside").mkdir()
    archive = folder / "archive.tar"
    extra = [
        (info("top/images/up", tarfile.SYMTYPE, "deep/.."), b""),
        (info("top/images/out", tarfile.SYMTYPE, "up/../../outside"), b""),
        (info("top/images/out/evil", size=4), b"evil"),
    ]
    write_tar(archive, FILES, extra)
    assert_refused(archive, folder, TWICE)
    write_tar(archive, FILES, extra[:2])
    assert_refused(archive, folder, NOTHING)


def test_an_encrypted_zip_is_refused(folder):
    archive = write_archive(folder / "archive.zip", FILES)
    content = bytearray(archive.read_bytes())
    start = content.index(b"PK\x01\x02")
    content[start + 8] |= 1
    archive.write_bytes(content)
    assert_refused(archive, folder, "which is encrypted")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_bomb_is_refused_before_it_is_unpacked(folder, suffix):
    # Unwanted members count as well: a compressed archive is decompressed to get past them.
    archive = write_archive(folder / f"archive{suffix}", FILES | {"big": bytes(LIMIT)})
    words = f"holds 'big', with which it has more than {LIMIT:,} bytes"
    assert_refused(archive, folder, words)


def test_a_bomb_of_many_files_is_refused(folder, monkeypatch):
    monkeypatch.setattr(members_module, "MOST_MEMBERS", 3)
    archive = write_archive(folder / "archive.tar", FILES)
    assert_refused(
        archive, folder, "holds 'top/other/c.txt', with which it has more than .* 3 files"
    )


def test_a_zip_that_lies_about_sizes_is_refused(folder):
    archive = write_archive(
        folder / "archive.zip", {"top/images/a": bytes(10**5), "top/list.txt": b"x"}
    )
    content = archive.read_bytes()
    # In the directory, which counts, the file is said to have 10 bytes.
    told = (10**5).to_bytes(4, "little")
    directory = content.index(b"PK\x01\x02")
    place = content.index(told, directory)
    archive.write_bytes(content[:place] + (10).to_bytes(4, "little") + content[place + 4 :])
    assert_refused(archive, folder, "cannot be read .*CRC", limit=1000)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("cut", [0.05, 0.5, 0.8])
def test_a_truncated_archive_is_refused(folder, suffix, cut):
    archive = write_archive(folder / f"archive{suffix}", FILES)
    # Behind a tar's end there are zeros.
    whole = archive.read_bytes().rstrip(b"\0")
    archive.write_bytes(whole[: int(cut * len(whole))])
    assert_refused(archive, folder, "cannot be read|does not hold")


@pytest.mark.parametrize("blocks", range(21))
def test_a_tar_cut_between_its_blocks_is_refused(folder, blocks):
    archive = write_archive(folder / "archive.tar", FILES)
    whole = archive.read_bytes()
    marks = whole.index(b"not wanted") // 512 + 1
    assert len(whole) == 20 * 512 and marks == 18
    archive.write_bytes(whole[: 512 * blocks])
    if blocks == marks + 2:
        unpack(archive, places(folder), limit=LIMIT)
    else:
        assert_refused(archive, folder, "cannot be read")


def test_a_tar_broken_in_between_is_refused(folder):
    """Python's tarfile takes the broken header for the archive's end."""
    archive = write_archive(folder / "archive.tar", FILES)
    whole = bytearray(archive.read_bytes())
    header = whole.index(b"top/other/c.txt")
    whole[header : header + 4] = b"xxxx"
    archive.write_bytes(whole)
    assert_refused(archive, folder, r"cannot be read \(it is cut off or damaged\)")


@pytest.mark.parametrize("suffix", [".zip", ".tgz"])
def test_damaged_content_is_refused(folder, suffix):
    content = bytes(range(256)) * 200
    archive = write_archive(folder / f"archive{suffix}", FILES | {"top/images/c": content})
    whole = bytearray(archive.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    archive.write_bytes(whole)
    assert_refused(archive, folder, "cannot be read")


def test_what_is_no_archive_is_refused(folder):
    for suffix in SUFFIXES:
        archive = folder / f"archive{suffix}"
        archive.write_bytes(b"<html>not found</html>" * 50)
        assert_refused(archive, folder, "cannot be read .*fetch it again")


def test_an_archive_of_something_else_is_refused(folder):
    archive = write_archive(folder / "archive.tar", {"other/a.txt": b"a"})
    assert_refused(archive, folder, "does not hold top/images, top/list.txt: it is not the one")


def test_no_room_is_told_before_anything_is_written(folder, monkeypatch):
    archive = write_archive(folder / "archive.tar", FILES)
    asked = []

    def refuse(path, needed, what):
        asked.append(needed)
        raise ValueError(f"archive {archive} needs more room")

    monkeypatch.setattr(module, "check_room", refuse)
    assert_refused(archive, folder, "needs more room")
    assert asked == [sum(map(len, FILES.values())) - len(FILES["top/other/c.txt"])]


def test_what_a_killed_process_left_is_taken_away(folder):
    archive = write_archive(folder / "archive.tar", FILES)
    left = folder / ".images.unpacking"
    left.mkdir()
    (left / "half.jpg").write_bytes(b"half")
    (folder / "lists").mkdir()
    (folder / "lists" / ".list.txt.unpacking").write_bytes(b"half")
    unpack(archive, places(folder), limit=LIMIT)
    assert set(contents(folder)) == {"images/a.jpg", "images/deep/b.jpg", "lists/list.txt"}
