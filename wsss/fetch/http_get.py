"""Requests by HTTP: what a server sends, refuses, or breaks off."""

import base64
import binascii
import http.client
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

log = logging.getLogger(__name__)

HEADERS = {"User-Agent": "wsss-fetch", "Accept-Encoding": "identity"}
TIMEOUT_SECONDS = 60.0
BLOCK = 2**20
# Of a server that is overloaded, or restarts.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
TRIES = 6
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0


class RefusedError(Exception):
    """The server does not give what was asked for, however often one asks.

    Args:
        reason: For a person.
        status: Of HTTP; 0 without an answer.
    """

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class BrokenError(Exception):
    """It did not work this time.

    Args:
        reason: For a person.
        wait: Seconds that the server asks for before the next try.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Patience:
    """Waits before each further try, ever longer, and has an end.

    Args:
        what: What is tried, for a person.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.failures = 0

    def renew(self) -> None:
        """Count from the start again: the last try brought something."""
        self.failures = 0

    def wait(self, error: BrokenError) -> None:
        """Wait after a failure.

        Raises:
            RefusedError: There were too many in a row.
        """
        self.failures += 1
        if self.failures >= TRIES:
            raise RefusedError(f"{error}, {self.failures} times in a row") from None
        seconds = max(FIRST_WAIT_SECONDS * 2.0 ** (self.failures - 1), error.wait)
        log.warning("%s: %s; trying again in %g s", self.what, error, seconds)
        time.sleep(min(seconds, LONGEST_WAIT_SECONDS))


@contextmanager
def opened(address: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
    """Yield what a server answers, its body not yet read.

    Raises:
        RefusedError: It says no.
        BrokenError: It cannot be reached, or not now.
    """
    try:
        response = urlopen(
            Request(address, headers={**HEADERS, **headers}), timeout=TIMEOUT_SECONDS
        )
    except HTTPError as error:
        with error:
            reason = f"the server says {error.code} {error.reason}".rstrip()
            if error.code in PASSING:
                raise BrokenError(reason, _asked_wait(error.headers)) from None
            raise RefusedError(reason, error.code) from None
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            reason = f"the server's certificate is not valid ({error.reason.verify_message})"
            raise RefusedError(reason) from None
        raise BrokenError(f"the server cannot be reached ({error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise BrokenError(f"the server does not answer ({_named(error)})") from None
    with response:
        yield response


def blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield a body as it arrives.

    Where the server closes the connection early, this just ends: compare with the size.

    Raises:
        BrokenError: The connection breaks.
    """
    while True:
        try:
            block = response.read1(BLOCK)
        except (OSError, http.client.HTTPException) as error:
            raise BrokenError(f"the connection broke ({_named(error)})") from None
        if not block:
            return
        yield block


def size_of(headers: Message) -> int | None:
    """Return the number of bytes of a body, where the server says it."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def md5_of(headers: Message) -> str:
    """Return the md5 that a server sends along with a file, or "".

    Google's storage sends it in a header of its own. Amazon's S3 has it as ETag, unless the file
    came there in several parts, when the ETag is no md5 and has a hyphen.
    """
    for listed in headers.get_all("x-goog-hash", []):
        for item in listed.split(","):
            algorithm, _, digest = item.strip().partition("=")
            if algorithm == "md5":
                return _hexadecimal(digest)
    etag = headers.get("ETag", "").strip('"')
    if headers.get("Server") == "AmazonS3" and len(etag) == 32 and etag.isalnum():
        return etag.lower()
    return ""


def _hexadecimal(digest: str) -> str:
    try:
        return base64.b64decode(digest, validate=True).hex()
    except binascii.Error:
        return ""


def _asked_wait(headers: Message) -> float:
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _named(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
