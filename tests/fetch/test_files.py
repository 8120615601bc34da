"""Files of the catalogue: verified, and at their places."""

import hashlib
import logging
from collections import deque

import pytest

from tests.fetch.archives import FILES, LIMIT, write_archive
from wsss.fetch import unpack
from wsss.fetch.catalogue import RemoteFile
from wsss.fetch.files import fetch_file, is_fetched
from wsss.fetch.http_get import TRIES
from wsss.fetch.mirrors import MIRRORS

UNPACK = {"top/images": "images", "top/list.txt": "lists/list.txt"}
GOOGLE_MD5 = {"x-goog-hash": "md5=1B2M2Y8AsgTpgAmY7PhCfg=="}


@pytest.fixture(autouse=True)
def not_synced(monkeypatch):
    monkeypatch.setattr(unpack.os, "sync", lambda: None)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def archive(tmp_path_factory):
    """The bytes of an archive."""
    return write_archive(tmp_path_factory.mktemp("made") / "set.tgz", FILES).read_bytes()


def published(name, address, content, **more):
    sha256 = hashlib.sha256(content).hexdigest()
    return RemoteFile(name, (address,), size=len(content), sha256=sha256, **more)


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_to_its_place_and_stays(site, folder, content):
    address, _ = site.serve("/w.pth", content)
    file = published("w.pth", address, content, md5=hashlib.md5(content).hexdigest())
    assert not is_fetched(file, folder)
    fetch_file(file, folder)
    assert (folder / "w.pth").read_bytes() == content
    assert names(folder) == ["w.pth"] and is_fetched(file, folder)
    fetch_file(file, folder)
    assert len(site.asked) == 1


def test_an_archive_is_unpacked_and_taken_away(site, folder, archive):
    address, _ = site.serve("/set.tgz", archive)
    file = published("set.tgz", address, archive, unpack=UNPACK, unpacked=LIMIT)
    fetch_file(file, folder)
    assert names(folder) == ["images/a.jpg", "images/deep/b.jpg", "lists/list.txt"]
    assert is_fetched(file, folder)
    fetch_file(file, folder)
    assert len(site.asked) == 1


def test_only_what_is_missing_is_unpacked(site, folder, archive):
    address, _ = site.serve("/set.tgz", archive)
    file = published("set.tgz", address, archive, unpack=UNPACK, unpacked=LIMIT)
    (folder / "images").mkdir()
    (folder / "images" / "mine.jpg").write_bytes(b"mine")
    fetch_file(file, folder)
    assert names(folder) == ["images/mine.jpg", "lists/list.txt"]


def test_a_linked_data_set_is_left_alone(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "images").symlink_to(elsewhere)
    file = RemoteFile("set.tgz", ("http://127.0.0.1:9/a",), unpack={"top": "images"}, unpacked=9)
    assert is_fetched(file, folder)


def test_a_link_to_nothing_is_named(folder):
    (folder / "images").symlink_to(folder / "nothing")
    file = RemoteFile("set.tgz", ("http://127.0.0.1:9/a",), unpack={"top": "images"}, unpacked=9)
    with pytest.raises(ValueError, match="images is a link to nothing; mend it, or delete it and"):
        is_fetched(file, folder)


def test_a_file_of_another_size_at_the_place_is_named(folder):
    (folder / "w.pth").write_bytes(b"half")
    file = RemoteFile("w.pth", ("http://127.0.0.1:9/a",), size=1000)
    with pytest.raises(ValueError, match=r"w\.pth has 4 bytes, but .* has 1000; move it away"):
        is_fetched(file, folder)


def test_a_wrong_checksum_deletes_the_download(site, folder, content):
    address, _ = site.serve("/w.pth", content)
    file = RemoteFile("w.pth", (address,), sha256="0" * 64)
    with pytest.raises(ValueError, match=r"^w\.pth cannot be downloaded") as caught:
        fetch_file(file, folder)
    digest = hashlib.sha256(content).hexdigest()
    assert f"its sha256 is {digest} instead of {'0' * 64}, and was deleted" in str(caught.value)
    assert names(folder) == [] and "\n" not in str(caught.value)


def test_md5_is_compared_where_that_is_what_is_published(site, folder, content):
    address, _ = site.serve("/a.csv", content)
    fetch_file(RemoteFile("a.csv", (address,), md5=hashlib.md5(content).hexdigest()), folder)
    with pytest.raises(ValueError, match=f"its md5 is .* instead of {'0' * 32}"):
        fetch_file(RemoteFile("b.csv", (address,), md5="0" * 32), folder)
    assert names(folder) == ["a.csv"]


def test_the_next_address_is_asked_where_one_fails(site, folder, content):
    address, _ = site.serve("/right", content)
    wrong, _ = site.serve("/wrong", content[::-1])
    addresses = (f"{site.address}/missing", wrong, address)
    sha256 = hashlib.sha256(content).hexdigest()
    fetch_file(RemoteFile("w.pth", addresses, sha256=sha256), folder)
    assert (folder / "w.pth").read_bytes() == content
    assert [path for path, _ in site.asked] == ["/missing", "/wrong", "/right"]


def test_what_arrived_from_one_address_is_gone_on_with_there(site, folder, content):
    first, served = site.serve("/first", content, statuses=deque([404, 404]))
    second, other = site.serve("/second", content, cuts=deque([1_000_000] + [0] * TRIES))
    file = published("w.pth", first, content)
    file = RemoteFile("w.pth", (first, second), size=file.size, sha256=file.sha256)
    with pytest.raises(ValueError, match=r"start again later, which goes on with what has arrived"):
        fetch_file(file, folder)
    served.statuses.clear()
    other.cuts.clear()
    site.asked.clear()
    fetch_file(file, folder)
    assert site.asked == [("/second", "bytes=1000000-")]


def test_all_that_failed_is_told_in_one_sentence(site, folder):
    addresses = (f"{site.address}/a", f"{site.address}/b")
    with pytest.raises(ValueError) as caught:
        fetch_file(RemoteFile("w.pth", addresses), folder)
    text = str(caught.value)
    for address in addresses:
        assert f"from {address}: the server says 404 Not Found" in text
    assert MIRRORS in text and f"put the file at {folder / 'w.pth'}" in text


def test_a_mirror_is_asked_instead(site, folder, content, monkeypatch):
    site.serve("/mirror/sets/w.pth", content)
    monkeypatch.setenv(MIRRORS, f"https://data.invalid/far={site.address}/mirror")
    fetch_file(published("w.pth", "https://data.invalid/far/sets/w.pth", content), folder)
    assert (folder / "w.pth").read_bytes() == content


def test_without_a_published_checksum_one_is_recorded(site, folder, content, caplog):
    address, _ = site.serve("/h.json", content)
    file = RemoteFile("h.json", (address,))
    fetch_file(file, folder)
    digest = hashlib.sha256(content).hexdigest()
    assert (folder / ".h.json.sha256").read_text() == f"{digest}  h.json\n"
    assert "nobody publishes a checksum of h.json: it was held to its size" in caplog.text
    # The same file may come again, another one not.
    (folder / "h.json").unlink()
    fetch_file(file, folder)
    (folder / "h.json").unlink()
    site.serve("/h.json", content[::-1])
    with pytest.raises(ValueError, match=rf"instead of {digest}, and was deleted; if the source "):
        fetch_file(file, folder)
    assert names(folder) == [".h.json.sha256"]


def test_without_a_published_checksum_the_servers_md5_counts(site, folder, content, caplog):
    address, _ = site.serve("/h.json", content, headers=GOOGLE_MD5)
    with pytest.raises(ValueError, match=r"its md5 is \w+ instead of d41d8cd98f00b204e9800998ecf8"):
        fetch_file(RemoteFile("h.json", (address,)), folder)
    site.serve("/empty.json", b"", headers=GOOGLE_MD5)
    fetch_file(RemoteFile("empty.json", (f"{site.address}/empty.json",)), folder)
    assert "it was held to the md5 that its server sends along" in caplog.text
    assert names(folder) == [".empty.json.sha256", "empty.json"]


def test_a_file_that_a_person_places(folder, archive):
    file = RemoteFile("w.params", by_hand="its authors' link is dead")
    with pytest.raises(
        ValueError,
        match=r"^w\.params must be placed by hand, for its authors' link is dead; put it at .*",
    ) as caught:
        fetch_file(file, folder)
    assert str(caught.value).endswith(f"{folder / 'w.params'} and start again")
    (folder / "w.params").write_bytes(b"weights")
    assert is_fetched(file, folder)


def test_an_archive_that_a_person_placed_is_verified_unpacked_and_kept(folder, archive):
    right = hashlib.sha256(archive).hexdigest()
    (folder / "set.tgz").write_bytes(archive)
    wrong = RemoteFile("set.tgz", by_hand="x", sha256="0" * 64, unpack=UNPACK, unpacked=LIMIT)
    with pytest.raises(ValueError, match=r"set\.tgz is not the file that was published: its sha25"):
        fetch_file(wrong, folder)
    assert names(folder) == ["set.tgz"]
    file = RemoteFile("set.tgz", by_hand="x", sha256=right, unpack=UNPACK, unpacked=LIMIT)
    fetch_file(file, folder)
    assert names(folder) == ["images/a.jpg", "images/deep/b.jpg", "lists/list.txt", "set.tgz"]


def test_progress_is_told(site, folder, content, caplog, monkeypatch):
    monkeypatch.setattr("wsss.progress.LOG_EVERY_SECONDS", 0)
    caplog.set_level(logging.INFO)
    address, _ = site.serve("/w.pth", content)
    fetch_file(published("w.pth", address, content), folder)
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("w.pth: 2 of 4 MB, ") for line in lines)
    assert any(line.startswith("checking w.pth: 4 of 4 MB, ") for line in lines)
