"""What is read off a server's answer, and where it is asked."""

import ssl
from email.message import Message
from urllib.error import URLError

import pytest

from wsss.fetch import http_get
from wsss.fetch.http_get import BrokenError, Patience, RefusedError, md5_of, opened, size_of
from wsss.fetch.mirrors import MIRRORS, mirrored

COCO = "http://images.cocodataset.org/zips/val2017.zip"


def headers(*pairs):
    message = Message()
    for key, value in pairs:
        message.add_header(key, value)
    return message


@pytest.mark.parametrize(
    ("pairs", "md5"),
    [
        # The md5 of nothing, as Google's storage writes it: two hashes in one line or in two.
        (
            [("x-goog-hash", "crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg==")],
            "d41d8cd98f00b204e9800998ecf8427e",
        ),
        (
            [("x-goog-hash", "crc32c=AAAAAA=="), ("x-goog-hash", "md5=1B2M2Y8AsgTpgAmY7PhCfg==")],
            "d41d8cd98f00b204e9800998ecf8427e",
        ),
        ([("x-goog-hash", "crc32c=AAAAAA==")], ""),
        ([("x-goog-hash", "md5=?")], ""),
        # Amazon's, where the file came there in one piece, and where it did not.
        (
            [("Server", "AmazonS3"), ("ETag", '"D41D8CD98F00B204E9800998ECF8427E"')],
            "d41d8cd98f00b204e9800998ecf8427e",
        ),
        ([("Server", "AmazonS3"), ("ETag", '"d41d8cd98f00b204e9800998ecf84-12"')], ""),
        # Any other server may mean anything by an ETag.
        ([("Server", "nginx"), ("ETag", '"d41d8cd98f00b204e9800998ecf8427e"')], ""),
        ([], ""),
    ],
)
def test_the_md5_that_a_server_sends_along(pairs, md5):
    assert md5_of(headers(*pairs)) == md5


@pytest.mark.parametrize(("text", "size"), [("12", 12), ("-1", None), ("many", None)])
def test_the_size_that_a_server_says(text, size):
    assert size_of(headers(("Content-Length", text))) == size


def test_a_server_may_ask_for_a_longer_wait(waits):
    patience = Patience("a file")
    patience.wait(BrokenError("busy", 7))
    patience.wait(BrokenError("busy", 100_000))
    assert waits == [7, 300]
    patience.renew()
    for _ in range(5):
        patience.wait(BrokenError("busy"))
    with pytest.raises(RefusedError, match="busy, 6 times in a row"):
        patience.wait(BrokenError("busy"))


def test_a_certificate_that_is_not_valid_is_not_tried_again(monkeypatch):
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "self-signed certificate"

    def refuse(*_, **__):
        raise URLError(error)

    monkeypatch.setattr(http_get, "urlopen", refuse)
    words = r"the server's certificate is not valid \(self-signed certificate\)"
    with pytest.raises(RefusedError, match=words), opened("https://a.org", {}):
        pass


def test_without_mirrors_an_address_is_itself(monkeypatch):
    monkeypatch.delenv(MIRRORS, raising=False)
    assert mirrored(COCO) == COCO


@pytest.mark.parametrize(
    ("pairs", "asked"),
    [
        (
            "http://images.cocodataset.org=https://a.example/coco",
            "https://a.example/coco/zips/val2017.zip",
        ),
        (
            "http://images.cocodataset.org/=https://a.example/coco/ http://b.org=http://c.org",
            "https://a.example/coco/zips/val2017.zip",
        ),
        # The longest start counts, a part of a name does not.
        (
            "http://images.cocodataset.org=http://a.org\n"
            "http://images.cocodataset.org/zips=http://b.org",
            "http://b.org/val2017.zip",
        ),
        ("http://images.cocodataset.org/zip=http://b.org", COCO),
        (f"{COCO}=http://b.org/x.zip?a=b", "http://b.org/x.zip?a=b"),
        ("", COCO),
    ],
)
def test_a_mirror_stands_for_the_start_of_an_address(monkeypatch, pairs, asked):
    monkeypatch.setenv(MIRRORS, pairs)
    assert mirrored(COCO) == asked


@pytest.mark.parametrize("text", ["http://a.org", "a.org=b.org", "http://a.org=file:///data"])
def test_anything_else_is_refused(monkeypatch, text):
    monkeypatch.setenv(MIRRORS, text)
    with pytest.raises(ValueError, match=r"^WSSS_FETCH_MIRRORS holds '.*'; write pairs as http"):
        mirrored(COCO)
