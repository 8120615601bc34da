"""The command `wsss review`: it starts, says where, refuses what it must, and ends well."""

import os
import signal
import stat

import pytest

from tests.review.site import (
    DECISIONS,
    FOLDER,
    Client,
    Server,
    decided,
    image_id,
    make_set,
    own_port,
)
from wsss.cli import main
from wsss.store.rows import write_rows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    make_set(tmp_path, {"train": [0, 1, 2], "boat": [2, 3]}, wanted=2)
    # A terminal at another machine: no browser is opened.
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sentence(capsys, *words):
    """What the command says where it is refused."""
    assert main(["review", *map(str, words)]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("wsss: error: ")
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_interrupted_and_says_how_far_one_has_come(folder, number):
    with Server(folder) as server:
        assert server.host.startswith("localhost:")
        client = Client(server, "anna")
        client.act("1", "decide", images=[0, 1], decision="keep")
        said = server.stop(number)
    assert said.splitlines()[-1] == (
        f"2 of 4 images decided (2 kept), 1 of 2 classes done: {DECISIONS}"
    )
    assert "ssh -L" in said
    assert decided(folder) == {image_id(0): "keep", image_id(1): "keep"}


def test_after_a_restart_the_address_is_the_same_and_the_page_goes_on(folder):
    port = own_port()
    with Server(folder, "--port", port) as server:
        client = Client(server, "anna")
        client.act("1", "decide", images=[0], decision="keep")
        address = server.address
    with Server(folder, "--port", port) as again:
        assert again.address == address
        client.connection.close()
        assert client.act("2", "undo")["changed"] == [[0, "-", "-"]]


def test_the_token_is_a_secret_of_the_user(folder):
    path = folder / FOLDER / "review/token"
    with Server(folder) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        token = server.token
    path.chmod(0o644)  # Others may have read it.
    with Server(folder) as server:
        assert server.token != token and stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_server_is_refused_and_one_after_a_kill_is_not(folder, capsys):
    with Server(folder) as server:
        said = sentence(capsys, FOLDER)
        assert f"{DECISIONS} is under review by process {server.process.pid} on " in said
        assert "open the address that it printed" in said
        server.kill()
    with Server(folder) as server:
        assert Client(server, "anna").get("/api/status")["changes"] == 0


def test_a_port_that_is_taken_is_said_and_another_is_found_without_one(folder, capsys, tmp_path):
    other = tmp_path / "other"
    make_set(other, {"train": [0]})
    with Server(other) as server:
        port = server.host.rpartition(":")[2]
        said = sentence(capsys, FOLDER, "--port", port)
        assert f"nothing can listen on 127.0.0.1, port {port} (Address already in use)" in said
        with Server(folder) as second:
            assert second.host != server.host


def test_where_everybody_can_reach_it_says_so(folder):
    with Server(folder, "--host", "0.0.0.0") as server:
        said = server.stop()
    assert "is not encrypted" in said and "ssh -L" not in said


@pytest.mark.parametrize("words", [["--port", "0"], ["--port", "x"], ["--port", "65536"], []])
def test_wrong_flags_are_a_wrong_use(folder, capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(["review", *([str(FOLDER), *words] if words else [])])
    assert ended.value.code == 2
    assert "wsss review: error" in capsys.readouterr().err


def test_a_folder_that_is_none_is_said(folder, capsys):
    assert "is no folder of an OoD set that a person decides on" in sentence(capsys, "results")


def test_images_that_are_not_there_are_said(folder, capsys):
    (folder / "data/images").rename(folder / "data/elsewhere")
    said = sentence(capsys, FOLDER)
    assert "does not exist, nor do the others: start this where snakemake was started" in said


def test_an_empty_ranking_is_said(folder, capsys):
    columns = ("class_name", "rank", "image_id", "score")
    write_rows(folder / FOLDER / "ranking.csv", columns, [])
    assert "the ranking is empty" in sentence(capsys, FOLDER)


def test_a_damaged_journal_is_said(folder, capsys):
    with Server(folder) as server:
        Client(server, "anna").act("1", "decide", images=[0], decision="keep")
    journal = folder / "data/decisions.journal/anna.jsonl"
    journal.write_text(journal.read_text().replace("keep", "kept"))
    assert "anna.jsonl, line 1 is damaged" in sentence(capsys, FOLDER)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_said(folder, capsys):
    (folder / "data").chmod(0o500)
    assert "permission is denied" in sentence(capsys, FOLDER)


def test_a_name_that_is_none_is_said(folder, capsys):
    assert "is no name for an annotator" in sentence(capsys, FOLDER, "--annotator", "a/b")
