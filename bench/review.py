"""The pruning page in a real browser: first picture, scrolling, memory, time of a decision."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.review.conftest import ARGUMENTS, CHROMIUM, PATIENCE_MS, wait_until
from tests.review.site import Server, draw_image, image_id, make_set

CANDIDATES = 10_000
DRAWN = 100
SIZE = (375, 500)
DECISIONS = 50
SCROLL_SECONDS = 5
# Pixels per second: reading along, a turn of the wheel, dragging the bar through all of it.
SPEEDS = {"slowly": 800, "quickly": 6_000, "through everything": 60_000}
FRAMES = """async ([speed, seconds]) => {
  const box = document.querySelector("#scroller");
  box.scrollTop = 0;
  const deltas = [];
  const begin = performance.now();
  let last = begin;
  for (;;) {
    const now = await new Promise(requestAnimationFrame);
    deltas.push(now - last);
    last = now;
    if (now - begin > 1000 * seconds) return deltas.slice(2);
    box.scrollTop = speed * (now - begin) / 1000;
  }
}"""
FIRST = "performance.getEntriesByName('first-picture')[0]?.startTime"


def measure_review(repeats: int) -> dict[str, Any]:
    """Return the measured numbers by name.

    Args:
        repeats: Page loads with and without thumbnails that are made already.

    Raises:
        RuntimeError: There is no Chromium, or the page does not scroll.
    """
    if CHROMIUM is None:
        raise RuntimeError("Chromium is not installed: install Debian's package chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        _make(folder)
        found: dict[str, Any] = {}
        begin = time.perf_counter()
        with Server(folder) as server:
            found["start_s"] = time.perf_counter() - begin
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            found["version"] = browser.version
            for kind in ("new", *["kept"] * repeats):
                with _page(browser, server) as page:
                    found.setdefault(f"first_picture_{kind}_ms", []).append(_first_picture(page))
            with _page(browser, server) as page:
                found |= _scroll(page)
                found |= _decide(page)
                found |= _memory(page, browser, server)
            browser.close()
        return found


def review_table(found: dict[str, Any]) -> str:
    """Return the numbers in Markdown."""
    rows = [
        ("server listens after", f"{found['start_s']:.1f} s"),
        ("first picture, thumbnails to be made", f"{found['first_picture_new_ms'][0]:.0f} ms"),
        ("first picture, kept", f"{np.median(found['first_picture_kept_ms']):.0f} ms"),
        ("key to decision saved and shown, median", f"{found['saved_ms']:.0f} ms"),
    ]
    for name, frames in found["frames"].items():
        half, most, worst = np.quantile(frames, [0.5, 0.95, 1])
        slow = np.mean(np.array(frames) > 50)
        rows.append(
            (
                f"frames, scrolling {name} ({SPEEDS[name]:,} pixels/s): median, 95 %, longest",
                f"{half:.0f}, {most:.0f}, {worst:.0f} ms ({slow:.1%} over 50 ms)",
            )
        )
    rows += [
        ("tiles in the page afterwards", f"{found['tiles']:,}"),
        ("memory of the page's scripts", f"{found['heap_mib']:.0f} MiB"),
        ("memory of the page's process", f"{found['page_mib']:.0f} MiB"),
        ("memory of the server", f"{found['server_mib']:.0f} MiB"),
    ]
    lines = [f"| {CANDIDATES:,} candidates of one class | |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows), ""])


def _make(folder: Path) -> None:
    """Make a set whose images are few drawings, each under many names."""
    make_set(folder, {"train": list(range(CANDIDATES))}, size=(8, 8))
    images = folder / "data/images"
    for number in range(DRAWN):
        draw_image(number, *SIZE).save(images / f"drawn{number}.jpg", quality=90)
    for number in range(CANDIDATES):
        path = images / f"{image_id(number)}.jpg"
        path.unlink()
        os.link(images / f"drawn{number % DRAWN}.jpg", path)


@contextmanager
def _page(browser: Browser, server: Server) -> Iterator[Page]:
    """Open the page with nothing in the browser's own cache."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(server.address)
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Enter")
    page.wait_for_selector('body[data-ready="true"]')
    yield page
    context.close()


def _first_picture(page: Page) -> float:
    """Return milliseconds from opening the page, under a known name, to its first picture."""
    page.reload()
    wait_until(page, f"{FIRST} !== undefined")
    return page.evaluate(FIRST)


def _scroll(page: Page) -> dict[str, Any]:
    frames = {
        name: page.evaluate(FRAMES, [speed, SCROLL_SECONDS]) for name, speed in SPEEDS.items()
    }
    page.wait_for_timeout(1000)
    shown = page.eval_on_selector_all(
        "[data-image]", "tiles => Math.max(...tiles.map(tile => Number(tile.dataset.image)))"
    )
    if shown < 0.8 * CANDIDATES:
        raise RuntimeError(f"after scrolling through everything, image {shown} is the last shown")
    return {"frames": frames}


def _decide(page: Page) -> dict[str, Any]:
    page.keyboard.press("Home")
    taken = []
    for number in range(DECISIONS):
        begin = time.perf_counter()
        page.keyboard.press("p" if number % 2 else "x")
        page.wait_for_selector(f'[data-image="{number}"]:not([data-own="-"])', state="attached")
        taken.append(time.perf_counter() - begin)
    return {"saved_ms": 1000 * float(np.median(taken))}


def _memory(page: Page, browser: Browser, server: Server) -> dict[str, Any]:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    values = {entry["name"]: entry["value"] for entry in metrics}
    renderers = [
        process.memory_info().rss
        for process in psutil.Process().children(recursive=True)
        if "--type=renderer" in process.cmdline()
    ]
    return {
        "tiles": page.locator("[data-image]").count(),
        "heap_mib": values["JSHeapUsedSize"] / 2**20,
        "page_mib": max(renderers) / 2**20,
        "server_mib": psutil.Process(server.process.pid).memory_info().rss / 2**20,
    }
