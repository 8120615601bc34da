"""The page in a real browser, as people use it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.review.conftest import PATIENCE_MS
from tests.review.site import Server, decided, image_id, make_set, own_port

pytestmark = pytest.mark.slow
TRAIN = list(range(12))
BOAT = [3, 12, 13, 14]


@pytest.fixture
def folder(tmp_path):
    make_set(tmp_path, {"train": TRAIN, "boat": BOAT}, wanted=3)
    return tmp_path


@pytest.fixture
def server(folder):
    with Server(folder) as started:
        yield started


def test_a_class_is_pruned_by_keyboard_alone(folder, server, desks):
    desk = desks(server)
    assert "train" in desk.page.inner_text("#question")
    for place, key in enumerate("xppxp"):
        assert desk.current() == TRAIN[place]  # After each decision, the next.
        desk.press(key)
    desk.saved()
    expected = dict(zip(map(image_id, TRAIN), ["reject", "keep", "keep", "reject", "keep"],
                        strict=False))  # fmt: skip
    assert decided(folder) == expected
    # The class has its three.
    desk.wait("document.body.innerText.includes('train has its 3')")
    assert (desk.account("decided"), desk.account("kept")) == ("5", "3")
    assert desk.account("rate").startswith("0.40 (")
    # On to the next class: an image that was decided there is decided here.
    desk.press("n")
    desk.wait("document.querySelector('#question').innerText.includes('boat')")
    desk.wait("document.querySelector('[data-image=\"3\"]')?.dataset.own === 'r'")
    desk.wait("document.querySelector('[data-current=true]').dataset.image === '12'")


def test_what_is_pressed_is_shown_as_decided_only_once_it_is_on_the_disk(folder, server, desks):
    desk = desks(server)
    held = []
    desk.page.route("**/api/actions", lambda route: held.append(route))
    desk.press("p")
    desk.page.wait_for_selector('[data-image="0"][data-pending="true"]')
    assert desk.own()[0] == "-" and desk.current() == 1
    # The page may show a key as pressed before its request is seen here.
    for _ in range(PATIENCE_MS // 20):
        if held:
            break
        desk.page.wait_for_timeout(20)
    assert decided(folder) == {}
    held[0].continue_()
    desk.page.wait_for_selector('[data-image="0"][data-pending="false"][data-own="k"]')
    assert decided(folder) == {image_id(0): "keep"}


def test_undo_goes_on_across_a_restart_of_the_server(folder, desks):
    port = own_port()
    with Server(folder, "--port", port) as server:
        desk = desks(server)
        desk.press("p", "x", "p")
        desk.saved()
        server.kill()
    desk.press("Control+z")
    desk.wait("document.querySelector('#banners').innerText.includes('wsss review')")
    assert len(decided(folder)) == 3
    with Server(folder, "--port", port):
        desk.saved()
        desk.press("Control+z", "Control+z")
        desk.saved()
        assert decided(folder) == {} and desk.current() == 0
        desk.press("Control+y", "Control+Shift+Z", "Control+y")
        desk.saved()
        assert decided(folder) == {
            image_id(0): "keep", image_id(1): "reject", image_id(2): "keep"
        }  # fmt: skip
        # A reload remembers nothing but who and where one is.
        desk.page.reload()
        desk.ready()
        assert desk.own()[0] == "k" and desk.current() == 3
        desk.press("Control+z")
        desk.saved()
        assert len(decided(folder)) == 2


def test_two_annotators_and_a_third_look(folder, server, desks):
    anna, ben = desks(server, "anna"), desks(server, "ben")
    anna.press("p", "p", "x")
    anna.saved()
    assert set(ben.own().values()) == {"-"}  # Each judges alone.
    ben.press("p", "x", "x")
    ben.saved()
    assert decided(folder) == {image_id(0): "keep", image_id(2): "reject"}
    # The other's page hears of it by itself.
    anna.wait("document.querySelector('#disagreements').innerText.includes('1')")
    carol = desks(server, "carol")
    carol.press("d")
    carol.wait("document.querySelectorAll('[data-image]').length === 1")
    text = carol.page.inner_text("main")
    assert "Cohen's kappa of anna and ben: 0.40" in text.replace("’", "'")
    assert "anna: keep" in text and "ben: reject" in text
    carol.press("p")
    carol.saved()
    assert decided(folder)[image_id(1)] == "keep"
    carol.press("Control+z")
    carol.saved()
    assert image_id(1) not in decided(folder)


def test_a_range_is_decided_at_once_and_undone_at_once(folder, server, desks):
    desk = desks(server)
    desk.press("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "x")
    desk.saved()
    assert decided(folder) == {image_id(number): "reject" for number in (1, 2, 3)}
    desk.page.click('[data-image="5"] img')
    desk.page.click('[data-image="8"] img', modifiers=["Shift"])
    desk.press("p")
    desk.saved()
    assert list(decided(folder).values()).count("keep") == 4
    desk.press("Control+z")
    desk.saved()
    assert list(decided(folder).values()) == ["reject"] * 3


def test_among_the_undecided_a_decided_image_vanishes_and_undo_brings_it_back(
    folder, server, desks
):
    desk = desks(server)
    desk.page.select_option("#filter", label="Undecided by me")
    desk.page.focus('[data-current="true"] button')
    desk.press("ArrowRight", "x")
    desk.saved()
    desk.wait("!document.querySelector('[data-image=\"1\"]')")
    assert desk.current() == 2
    desk.press("Control+z")
    desk.saved()
    desk.page.wait_for_selector('[data-image="1"][data-current="true"]')
    # The filter is remembered: that is how one comes back on another day.
    desk.press("x")
    desk.saved()
    desk.page.reload()
    desk.ready()
    assert 1 not in desk.own() and 0 in desk.own()


def test_the_loupe_shows_one_image_large_and_decides_on_it_alone(folder, server, desks):
    desk = desks(server)
    desk.press("Shift+ArrowRight", "Space")
    desk.page.wait_for_selector("#loupe:not([hidden])")
    desk.press("x")
    desk.saved()
    assert len(decided(folder)) == 1
    desk.press("ArrowRight", "p", "Escape")
    desk.saved()
    desk.page.wait_for_selector("#loupe", state="hidden")
    assert sorted(decided(folder).values()) == ["keep", "reject"]
    assert desk.page.evaluate("document.activeElement.closest('[data-current=true]') !== null")


def test_mouse_and_buttons_do_what_keys_do(folder, server, desks):
    desk = desks(server)
    desk.page.click('[data-image="4"] button:has-text("Reject")')
    desk.saved()
    assert decided(folder) == {image_id(4): "reject"}
    desk.page.dblclick('[data-image="6"] img')
    desk.page.click("#loupe button:has-text('Keep')")
    desk.saved()
    assert decided(folder)[image_id(6)] == "keep"
    desk.page.click("#loupe button:has-text('Close')")
    desk.page.click("#undo")
    desk.saved()
    assert decided(folder) == {image_id(4): "reject"}


def test_a_finger_is_enough(folder, server, desks):
    size = {"width": 412, "height": 800}
    desk = desks(server, viewport=size, has_touch=True, is_mobile=True)
    desk.page.tap('[data-image="0"] button:has-text("Keep")')
    desk.saved()
    assert decided(folder) == {image_id(0): "keep"}
    small = desk.page.eval_on_selector_all(
        "button", "all => all.filter(b => b.offsetHeight && b.offsetHeight < 32).length"
    )
    assert small == 0


def test_keys_are_chosen_by_the_person_and_remembered(folder, server, desks):
    desk = desks(server)
    desk.press("?")
    desk.page.wait_for_selector("#key-sheet[open]")
    row = desk.page.locator("#key-sheet tr, #key-sheet li, #key-sheet dl > div").filter(
        has_text="Yes: reject"
    )
    row.get_by_role("button").first.click()
    desk.press("p")  # Taken by keep.
    desk.wait("/keep/i.test(document.querySelector('#key-sheet [data-part=message]').innerText)")
    row.get_by_role("button").first.click()
    desk.press("1")
    desk.press("Escape")
    desk.page.wait_for_selector("#key-sheet", state="hidden")
    desk.page.reload()
    desk.ready()
    desk.press("x", "1")
    desk.saved()
    assert decided(folder) == {image_id(0): "reject"}


def test_a_refusal_is_a_sentence_and_leaves_the_image_as_it_was(folder, server, desks):
    desk = desks(server)
    answer = {"error": "anna.jsonl cannot be written: the disk is full"}
    desk.page.route("**/api/actions", lambda route: route.fulfill(status=507, json=answer))
    desk.press("p")
    desk.wait("document.querySelector('#banners').innerText.includes('the disk is full')")
    desk.saved()
    assert desk.own()[0] == "-" and desk.current() == 0
    assert decided(folder) == {}


def test_a_decisions_file_that_cannot_be_written_is_told(folder, server, desks):
    desk = desks(server)

    def with_problem(route):
        answer = route.fetch()
        told = answer.json()
        told["status"]["problem"] = "data/decisions.csv cannot be written: the disk is full"
        route.fulfill(response=answer, json=told)

    desk.page.route("**/api/actions", with_problem)
    desk.press("p")
    desk.wait("document.querySelector('#banners').innerText.includes('the disk is full')")
    desk.saved()
    assert desk.own()[0] == "k"  # The journal has it.
    desk.page.unroute("**/api/actions")
    desk.press("p")
    desk.saved()
    desk.wait("!document.querySelector('#banners').innerText.includes('the disk is full')")


def test_an_image_that_cannot_be_read_is_named_and_can_be_decided(folder, desks):
    (folder / f"data/images/{image_id(0)}.jpg").write_text("<html>no image</html>")
    with Server(folder) as server:
        desk = desks(server)
        desk.wait(
            "document.querySelector('[data-image=\"0\"]').innerText.includes('cannot be read')"
        )
        desk.press("x")
        desk.saved()
        assert decided(folder) == {image_id(0): "reject"}


# Ten thousand, and small screens


def test_of_ten_thousand_candidates_few_are_in_the_page_at_a_time(tmp_path, desks):
    make_set(tmp_path, {"train": list(range(10_000))}, size=(16, 16))
    with Server(tmp_path) as server:
        desk = desks(server)
        asked = []
        desk.page.on("request", lambda request: asked.append(request.url))
        desk.press("End")
        desk.page.wait_for_selector('[data-image="9999"][data-current="true"]')
        desk.press("p")
        desk.saved()
        assert decided(tmp_path) == {image_id(9999): "keep"}
        for _ in range(20):
            desk.press("PageUp")
        tiles = desk.page.locator("[data-image]")
        assert tiles.count() < 300
        pictures = [url for url in asked if "/thumbnails/" in url]
        assert len(pictures) < 2000
        first, last = desk.page.eval_on_selector_all(
            "[data-image]", "t => [t[0], t.at(-1)].map(x => x.getAttribute('aria-posinset'))"
        )
        assert first and last
        assert desk.page.get_attribute("[data-image]", "aria-setsize") == "10000"


SCREENS = {"laptop": (1366, 768), "laptop at 200 %": (683, 384), "small": (360, 640)}


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_cut_off(server, desks, screen):
    width, height = SCREENS[screen]
    desk = desks(server, viewport={"width": width, "height": height})
    sizes = (
        "[document.documentElement.scrollWidth, document.querySelector('#scroller').clientHeight]"
    )
    found_width, grid_height = desk.page.evaluate(sizes)
    assert found_width <= width
    assert grid_height >= 0.4 * height  # The pictures are what it is about.
    tile = desk.page.locator('[data-current="true"]').bounding_box()
    assert tile["x"] >= 0 and tile["x"] + tile["width"] <= width
    desk.press("Space")
    box = desk.page.locator("#loupe button:has-text('Reject')").bounding_box()
    assert box["y"] + box["height"] <= height


STATES = {
    "grid": [], "loupe": ["Space"], "sheet": ["?"], "disagreements": ["d"], "decided": ["x", "p"],
}  # fmt: skip


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(folder, server, desks, state, colours):
    for name, key in (("anna", "p"), ("ben", "x")):
        other = desks(server, name)
        other.press(key)
        other.saved()
    desk = desks(server, "carol", color_scheme=colours)
    desk.press(*STATES[state])
    desk.saved()
    check(desk.page)
    desk.page.set_viewport_size({"width": 683, "height": 384})
    check(desk.page)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_in_the_first_question(server, chromium, colours):
    page = chromium.new_page(color_scheme=colours)
    page.goto(server.address)
    page.wait_for_selector("dialog[open]")
    check(page)
    page.close()


def check(page):
    found = Axe().run(page).response["violations"]
    told = [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
    assert told == []


def test_axe_would_find_something(chromium):
    page = chromium.new_page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src='a.png'></main>")
    with pytest.raises(AssertionError, match="image-alt"):
        check(page)
    page.close()


def test_the_address_with_the_token_is_not_kept(server, desks):
    desk = desks(server)
    assert server.token not in desk.page.url
    cookie = desk.context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert not re.search(r"token", desk.page.content())
