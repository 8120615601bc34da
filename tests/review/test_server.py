"""The addresses of the page: what they answer, and whom they refuse."""

import re

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.review.parts import BOAT, CLASSES, TRAIN, candidates
from wsss.disk import WriteError
from wsss.review import server
from wsss.review.pictures import Pictures
from wsss.review.server import Told, build_app, question
from wsss.review.session import Review

TOKEN = "a-token-of-some-length"
SECRET = "nothing that a page may read"
JSON = {"Origin": "http://localhost:8765", "X-Review": "1"}


@pytest.fixture
def review(tmp_path):
    return Review(candidates(), tmp_path / "decisions.csv", wanted=2)


@pytest.fixture
def pictures(tmp_path, review):
    paths = [tmp_path / f"{image_id}.png" for image_id in review.ranked.image_ids]
    for path in paths[:-1]:
        Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(path)
    paths[-1].write_text(f"<script>alert('{SECRET}')</script>")

    def maps(path, class_id):
        return np.full((3, 4), class_id, np.float32)

    return Pictures(tmp_path / "cache", paths, maps=maps, map_key="")


@pytest.fixture
def outside(review, pictures):
    """A browser that does not know the token."""
    told = Told("voc2012", "hard", "decisions.csv", CLASSES, "anna", "wsss review results/x")
    app = build_app(review, pictures, told, token=TOKEN, hosts=["cluster"])
    # As a browser: what fails in the server is an answer, too.
    return TestClient(app, base_url="http://localhost:8765", raise_server_exceptions=False)


@pytest.fixture
def client(outside):
    """The page's own browser."""
    assert outside.get(f"/?token={TOKEN}", follow_redirects=False).status_code == 303
    return outside


def act(client, review, **rest):
    asked = {
        "id": "1", "version": review.ranked.version, "annotator": "anna", "action": "decide",
        "images": [0], "decision": "keep", "class": TRAIN,
    }  # fmt: skip
    return client.post("/api/actions", json={**asked, **rest}, headers=JSON)


def test_the_page_and_all_that_it_names_are_there(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    names = re.findall(r'(?:src|href)="/?(page/[^"]+)"', page.text)
    assert {name.rpartition(".")[2] for name in names} >= {"js", "css"}
    found = set()
    while names:
        name = names.pop()
        found.add(name)
        answer = client.get(f"/{name}")
        assert answer.status_code == 200, name
        imports = re.findall(r'from "\./([^"]+)"', answer.text) if name.endswith(".js") else []
        names += [f"page/{other}" for other in imports if f"page/{other}" not in found]
    assert found == {f"page/{path.name}" for path in server.PAGE.iterdir()} - {"page/index.html"}


def test_nothing_of_the_page_comes_from_elsewhere():
    for path in server.PAGE.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/)|@import|innerHTML|eval\(", text), path


def test_the_review_in_words(client):
    told = client.get("/api/review?annotator=anna").json()
    assert (told["dataset"], told["ood_set"], told["suggested"]) == ("voc2012", "hard", "anna")
    assert [entry["name"] for entry in told["classes"]] == ["boat", "train"]
    assert told["foreground"] == list(CLASSES)
    assert told["status"]["accounts"][TRAIN]["ranked"] == 4
    assert question("train") == "Is there a train, or any other foreground object, in it?"
    assert question("potted_plant").startswith("Is there a potted plant, or")
    assert question("aeroplane").startswith("Is there an aeroplane, or")


def test_a_decision_and_what_it_changes(client, review):
    answer = act(client, review).json()
    assert answer["changed"] == [[0, "k", "k"]] and answer["status"]["can_undo"]
    assert client.get("/api/classes/1?annotator=anna").json()["own"] == "k---"
    assert client.get("/api/classes/1").json()["own"] == "----"
    assert client.get("/api/status?annotator=anna").json()["changes"] == 1
    act(client, review, id="2", annotator="ben", decision="reject")
    assert client.get("/api/disagreements").json()["images"] == [0]


def test_pictures_are_made_here_whatever_the_file_is(client):
    assert client.get("/thumbnails/0").headers["content-type"] == "image/jpeg"
    assert client.get("/pictures/0").content.startswith(b"\xff\xd8")
    assert client.get(f"/maps/{BOAT}/2").content.startswith(b"\x89PNG")
    for address in ("/thumbnails/4", "/pictures/4", f"/maps/{BOAT}/4"):
        answer = client.get(address)
        if address.startswith("/maps"):
            continue  # These maps look at no file.
        assert answer.status_code == 422 and "cannot be read" in answer.json()["error"]
        assert SECRET not in answer.text


def test_without_a_classifier_there_are_no_maps(client, pictures):
    pictures._maps = None
    assert client.get("/api/review").json()["has_maps"] is False
    assert client.get("/maps/0/2").status_code == 404


# Who may ask


ADDRESSES = (
    "/", "/page/main.js", "/api/review", "/api/status", "/api/classes/0", "/api/disagreements",
    "/thumbnails/0", "/pictures/0", "/maps/0/2",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_answered_without_the_token(outside, address):
    assert outside.get(address).status_code == 403
    assert outside.get(f"/?token={TOKEN[:-1]}").status_code == 403
    outside.get(f"/?token={TOKEN}")
    assert outside.get(address).status_code == 200


def test_nobody_decides_without_the_token(outside, review):
    assert act(outside, review).status_code == 403
    assert review.status(None)["changes"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8888"},
        {"Origin": "null"},
        {"Origin": ""},
        {"X-Review": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_sites_page_cannot_decide(client, review, headers):
    """Its browser sends the cookie along; what it cannot do is look like the page."""
    asked = {"id": "1", "version": review.ranked.version, "annotator": "anna", "action": "open"}
    assert client.post("/api/actions", json=asked, headers=JSON | headers).status_code == 403
    assert client.post("/api/actions", json=asked, headers=JSON).status_code == 200
    assert review.annotators == ["anna"]


def test_another_name_that_leads_here_is_refused(client):
    assert client.get("/api/review", headers={"Host": "evil.example"}).status_code == 403
    for known in ("localhost:9000", "127.0.0.1:8765", "[::1]:8765", "cluster:8765"):
        assert client.get("/api/review", headers={"Host": known}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/page/../server.py", "/page/..%2fserver.py", "/page/%2e%2e/session.py",
        "/page//etc/passwd", "/page/index.html%00.js", "/thumbnails/..%2f..%2fsecret",
        "/thumbnails/-1", "/thumbnails/1e3",
        "/pictures/99999999999999999999", "/maps/0/../../x", "/maps/9/0", "/maps/-1/0",
        "/api/classes/7", "/api/classes/x", "/decisions.csv", "/page/", "/thumbnails/٣",
    ],
)  # fmt: skip
def test_no_text_of_an_address_reaches_the_file_system(client, tmp_path, address):
    (tmp_path / "secret").write_text(SECRET)
    answer = client.get(address)
    assert answer.status_code == 404, answer.text
    assert "error" in answer.json() and SECRET not in answer.text and "root:" not in answer.text


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".ssh", "a\nb", "x" * 41])
def test_no_name_of_an_annotator_reaches_the_file_system(client, review, tmp_path, name):
    before = sorted(tmp_path.rglob("*"))
    answer = act(client, review, annotator=name)
    assert answer.status_code == 400 and "is no name for an annotator" in answer.json()["error"]
    assert client.get("/api/status", params={"annotator": name}).status_code == 400
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"images": [5]}, 404, "5 images"),
        ({"images": [-1]}, 404, "5 images"),
        ({"images": "0"}, 400, "no action of the page"),
        ({"images": [True]}, 400, "no action of the page"),
        ({"images": [0.5]}, 400, "no action of the page"),
        ({"images": []}, 400, "0 images"),
        ({"images": [[0]]}, 400, "no action of the page"),
        ({"decision": None}, 400, "no action of the page"),
        ({"decision": "k"}, 400, "no decision"),
        ({"action": "drop"}, 400, "no action"),
        ({"class": 2}, 404, "no class number 2"),
        ({"class": "1"}, 400, "no action of the page"),
        ({"id": ""}, 400, "no action of the page"),
        ({"id": "x" * 101}, 400, "no action of the page"),
        ({"action": "undo", "images": []}, 409, "nothing to undo"),
        ({"version": "other"}, 409, "the ranking is another one by now: load the page again"),
    ],
)
def test_requests_that_no_page_sends_are_refused_in_a_sentence(
    client, review, change, status, words
):
    answer = act(client, review, **change)
    assert answer.status_code == status and words in answer.json()["error"]
    assert review.status("anna")["changes"] == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'"x"'])
def test_bodies_that_are_no_json_are_refused(client, body):
    headers = JSON | {"Content-Type": "application/json"}
    answer = client.post("/api/actions", content=body, headers=headers)
    assert answer.status_code == 400 and "no action of the page" in answer.json()["error"]


def test_a_body_that_is_too_large_is_refused(client, review):
    assert act(client, review, images=[0] * 2_000_000).status_code == 413


def test_a_full_disk_is_told_and_nothing_changed(client, review, monkeypatch):
    def full(entry):
        raise WriteError("anna.jsonl cannot be written: the disk is full")

    monkeypatch.setattr(review._journal("anna"), "append", full)
    answer = act(client, review)
    assert answer.status_code == 507 and answer.json()["error"].endswith("the disk is full")
    assert review.status("anna")["changes"] == 0


def test_a_failure_of_the_server_is_one_sentence_without_its_insides(client, review, monkeypatch):
    monkeypatch.setattr(review, "status", lambda _: 1 / 0)
    answer = client.get("/api/status")
    assert answer.status_code == 500 and "Content-Security-Policy" in answer.headers
    assert answer.json() == {
        "error": "the server failed (ZeroDivisionError): its terminal says more"
    }


def test_other_methods_are_not_known(client):
    assert client.get("/api/actions").status_code == 405
    assert client.request("DELETE", "/api/review", headers=JSON).status_code == 405
