"""A real browser, and sets of candidates to look at in it."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.review.site import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# A container's user is often the superuser, whom Chromium's sandbox refuses.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def engine():
    """What starts browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(engine):
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian's package chromium): no browser to test in")
    browser = engine.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


class Desk:
    """Somebody's browser, and the page in it.

    Args:
        browser: To open it in.
        server: Whose page.
        name: Of the annotator.
        options: Of the browser's context.
    """

    def __init__(self, browser, server: Server, name: str, **options: object) -> None:
        self.context = browser.new_context(
            **{"viewport": {"width": 1366, "height": 768}, **options}
        )
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)
        self.page.goto(server.address)
        self.page.wait_for_selector("dialog[open]")
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")
        self.ready()

    def _listen(self, message) -> None:
        # Chromium notes each answer that is none; tests kill servers.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def ready(self) -> None:
        self.page.wait_for_selector('body[data-ready="true"]')

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self) -> None:
        """Wait until the page says that everything is saved."""
        self.page.wait_for_selector('body[data-saving="0"]')

    def wait(self, script: str) -> None:
        """Wait until an expression is true in the page."""
        wait_until(self.page, script)

    def current(self) -> int:
        """The number of the image that is looked at."""
        return int(self.page.get_attribute('[data-current="true"]', "data-image"))

    def own(self) -> dict[int, str]:
        """The own letter of each tile that is shown."""
        tiles = self.page.eval_on_selector_all(
            "[data-image]", "tiles => tiles.map(t => [t.dataset.image, t.dataset.own])"
        )
        return {int(number): letter for number, letter in tiles}

    def account(self, name: str) -> str:
        return self.page.inner_text(f'[data-account="{name}"]')

    def picture(self, path: Path) -> None:
        self.page.screenshot(path=str(path))


def wait_until(page: Page, script: str) -> None:
    """Wait until an expression is true in a page, whose policy forbids Playwright's own way."""
    for _ in range(PATIENCE_MS // 20):
        if page.evaluate(script):
            return
        page.wait_for_timeout(20)
    raise TimeoutError(f"not true in the page: {script}; it says {page.inner_text('body')}")


@pytest.fixture
def desks(chromium):
    """Opens browsers, and closes them; none may have complained."""
    opened = []

    def open_desk(server: Server, name: str = "anna", **options: object) -> Desk:
        opened.append(Desk(chromium, server, name, **options))
        return opened[-1]

    yield open_desk
    complaints = [text for desk in opened for text in desk.complaints]
    for desk in opened:
        desk.context.close()
    assert complaints == []
