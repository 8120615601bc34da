"""Downloads from a server of this machine: whole, broken off, gone on with, changed."""

import json
from collections import deque

import pytest

from tests.fetch.site import HANGS_UP, Served
from wsss.fetch import download as module
from wsss.fetch.download import download
from wsss.fetch.http_get import TRIES, RefusedError
from wsss.fetch.part import Part

PATH = "/sets/a.tar"


@pytest.fixture
def part(tmp_path):
    return Part(tmp_path / "a.tar")


def ranges(site):
    return [asked for _, asked in site.asked]


def test_a_whole_file(site, part, content):
    address, served = site.serve(PATH, content, last_modified="Sat, 21 Nov 2026 10:00:00 GMT")
    offer = download(part, address, size=len(content))
    assert part.path.read_bytes() == content
    assert ranges(site) == [None]
    assert (offer.size, offer.etag) == (len(content), served.validator())
    assert offer.last_modified == "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    "habits", [{}, {"etag": ""}, {"etag": 'W/"a"'}, {"etag": "", "last_modified": "yesterday"}]
)
def test_a_broken_connection_is_gone_on_with(site, part, content, waits, habits):
    address, _ = site.serve(PATH, content, cuts=deque([1_000_000, 0, 500_001]), **habits)
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content
    assert ranges(site) == [None, "bytes=1000000-", "bytes=1000000-", "bytes=1500001-"]
    # Not a byte came twice.
    assert site.sent == len(content)
    # It waited longer after the try that brought nothing, and from the start after one that did.
    assert waits == [1, 2, 1]


def test_another_process_goes_on_with_what_one_left(site, part, content):
    address, served = site.serve(PATH, content, cuts=deque([700_000] + [0] * TRIES))
    with pytest.raises(RefusedError):
        download(part, address, size=len(content))
    assert part.held() == 700_000
    site.asked.clear()
    served.cuts.clear()
    download(Part(part.path.with_name("a.tar")), address, size=len(content))
    assert ranges(site) == ["bytes=700000-"]
    assert part.path.read_bytes() == content


def test_a_complete_part_is_not_asked_for_again(site, part, content):
    address, _ = site.serve(PATH, content)
    download(part, address, size=None)
    site.asked.clear()
    download(part, address, size=None)
    assert site.asked == []


def test_a_server_without_ranges_starts_over(site, part, content):
    address, _ = site.serve(PATH, content, ranges=False, cuts=deque([2_000_000]))
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content
    assert ranges(site) == [None, "bytes=2000000-"]
    assert site.sent == 2_000_000 + len(content)


@pytest.mark.parametrize("obeys", [True, False])
@pytest.mark.parametrize("length", [3_000_123, 2_500_000, 1_000_000, 10])
def test_a_file_that_changed_meanwhile_starts_over(site, part, content, obeys, length):
    address, served = site.serve(PATH, content, obeys_if_range=obeys)
    served.cuts = deque([1_000_000] + [0] * TRIES)
    with pytest.raises(RefusedError):
        download(part, address, size=None)
    other = bytes(reversed(content))[:length]
    site.files[PATH] = Served(other, obeys_if_range=obeys)
    download(part, address, size=None)
    assert part.path.read_bytes() == other


def test_without_any_validator_another_size_is_a_change(site, part, content):
    address, served = site.serve(PATH, content, etag="")
    served.cuts = deque([1_000_000] + [0] * TRIES)
    with pytest.raises(RefusedError):
        download(part, address, size=None)
    site.files[PATH] = Served(content[::-1] + b"more", etag="")
    download(part, address, size=None)
    assert part.path.read_bytes() == content[::-1] + b"more"


@pytest.mark.parametrize("note", [None, "{", "[]", '{"address": "elsewhere"}'])
def test_bytes_of_unknown_origin_are_not_used(site, part, content, note):
    address, _ = site.serve(PATH, content)
    part.path.write_bytes(b"x" * 1000)
    if note is not None:
        part.note.write_text(note)
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content and ranges(site) == [None]


def test_bytes_of_another_address_are_not_used(site, part, content):
    first, _ = site.serve("/first", b"y" * 5000, cuts=deque([100] + [0] * TRIES))
    with pytest.raises(RefusedError):
        download(part, first, size=None)
    second, _ = site.serve("/second", content)
    download(part, second, size=None)
    assert part.path.read_bytes() == content
    assert json.loads(part.note.read_text())["address"] == second


def test_a_size_that_nobody_says(site, part, content):
    address, _ = site.serve(PATH, content, says_size=False)
    assert download(part, address, size=None).size is None
    assert part.path.read_bytes() == content


def test_another_size_than_published_is_refused_before_it_is_sent(site, part):
    address, _ = site.serve(PATH, b"<html>sign in first</html>")
    with pytest.raises(RefusedError, match="its file has 26 bytes, not 1000"):
        download(part, address, size=1000)
    assert part.held() == 0


def test_a_missing_file_is_asked_for_once(site, part, waits):
    with pytest.raises(RefusedError, match=r"^the server says 404 Not Found$") as caught:
        download(part, f"{site.address}/nothing", size=None)
    assert caught.value.status == 404
    assert len(site.asked) == 1 and waits == []


def test_an_overloaded_server_is_asked_again(site, part, waits, content):
    address, _ = site.serve(PATH, content, statuses=deque([503, 429, 500]))
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content and waits == [1, 2, 4]


def test_patience_ends(site, part, waits):
    address, _ = site.serve(PATH, b"abc", statuses=deque([503] * 20))
    with pytest.raises(RefusedError, match=r"the server says 503 .*, 6 times in a row"):
        download(part, address, size=3)
    assert len(site.asked) == TRIES and waits == [1, 2, 4, 8, 16]


def test_a_server_that_never_gets_further_is_given_up(site, part, content):
    """It starts over each time and breaks at the same place: that brings nothing."""
    address, _ = site.serve(PATH, content, ranges=False, cuts=deque([1_000_000] * 100))
    with pytest.raises(RefusedError, match=r"ended after 1\.0 MB, 6 times in a row"):
        download(part, address, size=len(content))
    assert len(site.asked) == TRIES


def test_a_connection_that_breaks_with_an_error(site, part, content):
    address, _ = site.serve(PATH, content, cuts=deque([2_000_000, 500_000]), resets=True)
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content
    assert ranges(site)[0] is None and len(site.asked) == 3


def test_a_server_that_hangs_up(site, part, content, waits):
    address, _ = site.serve(PATH, content, statuses=deque([HANGS_UP, HANGS_UP]))
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content and waits == [1, 2]


@pytest.mark.parametrize(
    ("habits", "words"),
    [({"shift": 5}, "the server sent another piece than the one asked for"),
     ({"surplus": b"more"}, "the server sent more than the 3000123 bytes that it announced")],
)  # fmt: skip
def test_a_wrong_piece_is_thrown_away_with_all_before_it(
    site, part, content, caplog, habits, words
):
    address, _ = site.serve(PATH, content, cuts=deque([1_000_000]), **habits)
    download(part, address, size=len(content))
    assert part.path.read_bytes() == content
    assert ranges(site) == [None, "bytes=1000000-", None]
    assert words in caplog.text


def test_a_server_that_is_not_there(part, waits):
    with pytest.raises(RefusedError, match=r"cannot be reached .*refused"):
        download(part, "http://127.0.0.1:9/a", size=None)
    assert len(waits) == TRIES - 1


def test_no_room_is_told_before_anything_is_written(site, part, content, monkeypatch):
    address, _ = site.serve(PATH, content)
    asked = []

    def refuse(folder, needed, what):
        asked.append((folder, needed, what))
        raise ValueError("no room")

    monkeypatch.setattr(module, "check_room", refuse)
    with pytest.raises(ValueError, match="no room"):
        download(part, address, size=None)
    assert asked == [(part.path.parent, len(content), "a.tar")] and part.held() == 0
