"""The decisions file: made from the journals, and what becomes of it when others write it."""

import pytest

from tests.review.parts import BOAT, TRAIN, Desk, candidates
from wsss.disk import WriteError
from wsss.review.ranked import ranked_from
from wsss.review.session import Review


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_file_made_by_hand_is_where_a_review_begins(tmp_path):
    (tmp_path / "decisions.csv").write_text(
        "image_id,decision,decided_by\na,keep,anna\nb,reject,\nc,reject,the oracle (labels)\nd,,\n"
    )
    desk = Desk(tmp_path)
    assert desk.review.annotators == ["anna", "by hand"]
    assert desk.words() == {"a": "keep", "b": "reject", "c": "reject"}
    assert desk.review.candidates(TRAIN, "anna")["own"] == "k---"
    desk.act("anna", "undo")
    assert desk.words()["a"] == ""


def test_without_a_column_of_names_it_is_by_hand(tmp_path):
    (tmp_path / "decisions.csv").write_text("decision,image_id\nkeep,a\n")
    desk = Desk(tmp_path)
    assert desk.rows()["a"][:2] == ("keep", "by hand")


def test_what_was_changed_by_hand_later_is_the_last_word(desk):
    desk.keep("anna", 0, 1)
    desk.review.close()
    text = desk.file.read_text()
    desk.file.write_text(text.replace("a,keep", "a,reject") + "e,keep,,\n")
    desk.open()
    assert desk.words() == {"a": "reject", "b": "keep", "e": "keep"}
    assert desk.review.candidates(TRAIN, "anna")["own"] == "kk--"
    desk.open()
    assert desk.words() == {"a": "reject", "b": "keep", "e": "keep"}
    assert len(desk.review._journals["by hand"].entries) == 2


def test_a_change_while_the_page_is_open_is_put_aside(desk):
    desk.keep("anna", 0)
    desk.file.write_text("image_id,decision\na,reject\n")
    desk.keep("anna", 1)
    assert desk.words() == {"a": "keep", "b": "keep"}
    assert desk.file.with_name("decisions.edited.csv").read_text().endswith("a,reject\n")


def test_a_deleted_file_comes_back(desk):
    desk.keep("anna", 0)
    desk.file.unlink()
    desk.keep("anna", 1)
    assert desk.words() == {"a": "keep", "b": "keep"}
    desk.file.unlink()
    desk.open()
    assert desk.words() == {"a": "keep", "b": "keep"}


def test_a_kill_between_journal_and_file_is_made_good_and_is_nobodys_change(desk, monkeypatch):
    desk.keep("anna", 0)
    before = desk.file.read_bytes()

    def killed(lines):
        raise KeyboardInterrupt

    monkeypatch.setattr(desk.review._file, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        desk.keep("anna", 1)
    assert desk.file.read_bytes() == before
    desk.open()
    assert desk.words() == {"a": "keep", "b": "keep"} and desk.review.annotators == ["anna"]


def test_a_kill_between_its_checksum_and_the_file_is_nobodys_change(desk):
    desk.keep("anna", 0)
    before = desk.file.read_bytes()
    desk.reject("anna", 0)
    desk.file.write_bytes(before)  # As if the last renaming had not come about.
    desk.open()
    assert desk.words() == {"a": "reject"} and desk.review.annotators == ["anna"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image_id,decision\na,maybe\n", "row 2: 'maybe' for image a is not a decision"),
        ("image_id\na\n", r"lacks the column\(s\) decision"),
        ("", "no CSV file"),
    ],
)
def test_a_file_that_is_no_table_of_decisions_is_refused_and_left(tmp_path, text, words):
    path = tmp_path / "decisions.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        Desk(tmp_path)
    assert path.read_text() == text


def test_decisions_outlive_a_ranking(desk):
    desk.keep("anna", 0, 2)
    other = ranked_from([("train", "c", 0.9), ("train", "z", 0.8)], ("train",))
    review = Review(other, desk.file, wanted=None)
    assert review.candidates(0, "anna")["own"] == "k-"
    assert review.status("anna")["total"]["decided"] == 1
    review.act("anna", action_id="z", action="decide", images=[1], decision="reject")
    assert desk.words() == {"c": "keep", "z": "reject", "a": "keep"}
    # Undone where the image is not ranked any more: nothing to show, but no error.
    for _ in range(2):
        answer = review.act("anna", action_id=f"u{_}", action="undo")
    assert answer["changed"] == [[0, "-", "-"]]
    assert Review(candidates(), desk.file, wanted=None).candidates(BOAT, "anna")["own"] == "--"


def test_a_disk_that_takes_the_journal_only_is_told_and_made_good(desk, monkeypatch):
    desk.keep("anna", 0)

    def full(lines):
        raise WriteError("decisions.csv cannot be written: the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(desk.review._file, "write", full)
        answer = desk.keep("anna", 1)
        assert answer["status"]["problem"] == "decisions.csv cannot be written: the disk is full"
        assert answer["changed"] == [[1, "k", "k"]]
    answer = desk.act("anna", "open")
    assert desk.words() == {"a": "keep", "b": "keep"}
    assert desk.review.status("anna")["problem"] == ""
