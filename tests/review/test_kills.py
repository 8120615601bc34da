"""A server or a browser that is killed at any moment loses at most the decision under way."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Error

from tests.review.conftest import ARGUMENTS, CHROMIUM, Desk
from tests.review.site import Client, Server, decided, image_id, make_set

KILLS = 100
IMAGES = 12
# A decision takes two to four on a quiet machine: kills fall before, into and after it.
LONGEST_MILLISECONDS = 4


def after(state: dict[str, str], number: int, word: str) -> dict[str, str]:
    """What an action on an image makes of a state."""
    kept = {name: known for name, known in state.items() if name != image_id(number)}
    return kept | ({image_id(number): word} if word else {})


@pytest.mark.slow
def test_a_hundred_kills_lose_at_most_the_decision_under_way(tmp_path):
    make_set(tmp_path, {"train": list(range(IMAGES))}, size=(32, 32))
    draw = random.Random(0)
    known: dict[str, str] = {}
    count = 0
    for _ in range(KILLS):
        server = Server(tmp_path)
        # Seen by who looks into the file alone, before any page is opened again.
        assert decided(tmp_path) == known
        client = Client(server, "anna")
        for _ in range(draw.randrange(4)):
            number, word = draw.randrange(IMAGES), draw.choice(["keep", "reject", ""])
            count += 1
            client.act(str(count), "decide", images=[number], decision=word)
            known = after(known, number, word)
            assert decided(tmp_path) == known
        number, word = draw.randrange(IMAGES), draw.choice(["keep", "reject"])
        count += 1
        client.send(str(count), "decide", images=[number], decision=word)
        answered = draw.random() < 0.2
        if answered:
            client.connection.getresponse().read()
        else:
            time.sleep(draw.random() * LONGEST_MILLISECONDS / 1000)
        server.kill()
        under_way = after(known, number, word)
        found = decided(tmp_path)
        assert found in (known, under_way)
        # What is in the journal, though nobody was told, counts from the next start on.
        text = (tmp_path / "data/decisions.journal/anna.jsonl").read_bytes()
        in_journal = f'"id":"{count}"'.encode() in text[: text.rfind(b"\n") + 1]
        assert in_journal or (found == known and not answered)
        known = under_way if in_journal else known


WORDS = {"x": "reject", "p": "keep", "u": ""}


def kill(browser) -> None:
    """Kill a browser with all of its processes, its windows' first or last as the system likes."""
    session = browser.new_browser_cdp_session()
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        with suppress(ProcessLookupError):
            os.kill(process["id"], signal.SIGKILL)


@pytest.mark.slow
def test_a_hundred_kills_of_the_browser_lose_at_most_the_decision_under_way(tmp_path, engine):
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian's package chromium): no browser to kill")
    make_set(tmp_path, {"train": list(range(IMAGES))}, size=(32, 32))
    draw = random.Random(0)
    known: dict[str, str] = {}
    under_way = known
    with Server(tmp_path) as server:
        for _ in range(KILLS):
            browser = engine.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            desk = Desk(browser, server, "anna")
            # The server outlived its last request; by now it has taken it, or never will.
            assert decided(tmp_path) in (known, under_way)
            known = decided(tmp_path)
            desk.press("Home")
            for _ in range(draw.randrange(3)):
                number, key = desk.current(), draw.choice("xpu")
                desk.press(key)
                desk.saved()
                known = after(known, number, WORDS[key])
                # What the page shows as decided is what the disk has.
                assert decided(tmp_path) == known
            number, key = desk.current(), draw.choice("xp")
            desk.press(key)
            time.sleep(draw.random() * LONGEST_MILLISECONDS / 1000)
            kill(browser)
            with pytest.raises(Error):
                desk.page.evaluate("1")
            under_way = after(known, number, WORDS[key])
            assert decided(tmp_path) in (known, under_way)
