"""A local site, and no waiting."""

import random
from types import SimpleNamespace

import pytest

from tests.fetch.site import Site
from wsss.fetch import entries, http_get
from wsss.fetch.mirrors import MIRRORS


@pytest.fixture
def site(monkeypatch):
    """A site of one's own; a proxy of this machine would not know it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv(MIRRORS, raising=False)
    site = Site()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """The seconds that the code waited, without waiting them."""
    found = []
    monkeypatch.setattr(http_get, "time", SimpleNamespace(sleep=found.append))
    return found


@pytest.fixture(autouse=True)
def no_hold(monkeypatch):
    """Holds last as long as the process: here, that of all tests."""
    monkeypatch.setattr(entries, "take_hold", lambda path: "")


@pytest.fixture
def content():
    """Three million bytes and a few, without any pattern."""
    return random.Random(0).randbytes(3_000_123)
