"""A review: what annotators do, what it comes to, and that all of it is on the disk."""

import json
import threading

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.review.parts import BOAT, ROWS, TRAIN, Desk, candidates
from wsss.ood.decisions import check_manual
from wsss.ood.pruning import wilson_interval
from wsss.ood.votes import Vote, votes_on
from wsss.review.ranked import ranked_from
from wsss.review.session import NothingLeftError, Review
from wsss.store.tables import read_table


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


# Candidates


def test_candidates_are_numbered_by_their_first_appearance_and_classes_keep_their_order():
    ranked = candidates()
    assert ranked.image_ids == ("a", "b", "c", "d", "e")
    assert ranked.classes == ("boat", "train")  # Of the aeroplane there is none.
    assert ranked.members == ((2, 4), (0, 1, 2, 3))
    assert ranked.classes_of == ((1,), (1,), (0, 1), (1,), (0,))
    other = ranked_from([(c, i + "x", s) for c, i, s in ROWS], ("boat", "train"))
    assert other.version != ranked.version


def test_a_ranking_without_images_or_of_other_classes_is_refused():
    with pytest.raises(ValueError, match="the ranking is empty: no candidate reached"):
        ranked_from([], ("boat",))
    with pytest.raises(ValueError, match="names the class train, which the data set lacks"):
        ranked_from(ROWS, ("boat",))


# One annotator


def test_a_decision_is_in_the_journal_and_in_the_file_when_it_is_answered(desk):
    answer = desk.keep("anna", 0)
    assert answer["changed"] == [[0, "k", "k"]] and answer["class"] == TRAIN
    (line,) = (desk.review.folder / "anna.jsonl").read_text().splitlines()
    entry = json.loads(line.partition(" ")[2])
    assert (entry["images"], entry["decision"], entry["class_name"]) == (["a"], "keep", "train")
    assert desk.rows() == {"a": ("keep", "anna", "anna: keep (0.0 s)")}


def test_an_image_of_two_classes_is_decided_once_for_both(desk):
    desk.reject("anna", 2)
    assert desk.review.candidates(TRAIN, "anna")["own"] == "--r-"
    assert desk.review.candidates(BOAT, "anna")["final"] == "r-"
    boat, train = desk.review.status("anna")["accounts"]
    assert (boat["decided"], train["decided"]) == (1, 1)
    assert desk.review.status("anna")["total"]["decided"] == 1


def test_the_account_of_a_class(tmp_path):
    desk = Desk(tmp_path, wanted=2)
    train = desk.review.status("anna")["accounts"][TRAIN]
    assert (train["rate"], train["to_check"], train["done"]) == (None, None, False)
    desk.reject("anna", 0)
    desk.keep("anna", 1)
    train = desk.review.status("anna")["accounts"][TRAIN]
    low, high = wilson_interval(1, 2)
    assert train == {
        "ranked": 4, "decided": 2, "kept": 1, "rejected": 1, "own_decided": 2, "rate": 0.5,
        "rate_low": low, "rate_high": high, "wanted": 2, "to_check": 2, "enough": True,
        "done": False,
    }  # fmt: skip
    desk.keep("anna", 3)
    assert desk.review.status("anna")["accounts"][TRAIN]["done"]


def test_undo_and_redo_go_on_after_a_restart(desk):
    desk.keep("anna", 0, 1)
    desk.reject("anna", 1)
    desk.open()
    answer = desk.act("anna", "undo")
    assert (answer["of"], answer["images"], answer["class"]) == ("decide", [1], TRAIN)
    assert answer["changed"] == [[1, "k", "k"]] and answer["status"]["can_redo"]
    desk.open()
    desk.act("anna", "undo")
    assert desk.words() == {"a": "", "b": ""}
    desk.open()
    desk.act("anna", "redo")
    desk.act("anna", "redo")
    assert desk.words() == {"a": "keep", "b": "reject"}
    with pytest.raises(NothingLeftError, match="there is nothing to redo"):
        desk.act("anna", "redo")
    for _ in range(2):
        desk.act("anna", "undo")
    with pytest.raises(NothingLeftError, match="there is nothing to undo"):
        desk.act("anna", "undo")


def test_an_action_that_is_sent_again_is_done_once(desk):
    sent = {"action_id": "x", "action": "decide", "images": [0], "decision": "keep"}
    first = desk.review.act("anna", **sent)
    again = desk.review.act("anna", **sent)
    assert first == again
    undo = {"action_id": "y", "action": "undo"}
    desk.keep("anna", 1)
    desk.review.act("anna", **undo)
    desk.open()  # Also where the server died before its answer arrived.
    assert desk.review.act("anna", **undo)["changed"] == [[1, "-", "-"]]
    assert desk.words()["a"] == "keep"


def test_time_stands_with_the_votes(desk):
    desk.act("anna", "open")
    desk.keep("anna", 0)
    desk.act("anna", "decide", 1, decision="reject", after=3.0)
    assert desk.rows()["b"] == ("reject", "anna", "anna: reject (3.0 s)")
    status = desk.review.status("anna")
    assert (status["seconds_spent"], status["seconds_per_decision"]) == (5.0, 2.5)
    desk.act("anna", "decide", 1, decision="", after=4.0)
    assert desk.rows()["b"] == ("", "", "anna: - (7.0 s)")


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"action": "decide", "images": [9], "decision": "keep"}, LookupError, "5 images"),
        ({"action": "decide", "images": [-1], "decision": "keep"}, LookupError, "5 images"),
        ({"action": "decide", "images": [], "decision": "keep"}, ValueError, "with 0 images"),
        ({"action": "undo", "images": [1]}, ValueError, "with 1 images"),
        ({"action": "decide", "images": [1], "decision": "maybe"}, ValueError, "'maybe'"),
        ({"action": "delete", "images": [1]}, ValueError, "'delete' is no action"),
        ({"action": "open", "class_id": 7}, LookupError, "no class number 7"),
        ({"action": "undo"}, NothingLeftError, "nothing to undo"),
    ],
)
def test_what_does_not_exist_is_refused_and_leaves_no_trace(desk, asked, error, words):
    with pytest.raises(error, match=words):
        desk.review.act("anna", action_id="1", **asked)
    assert desk.review.status("anna")["changes"] == 0
    assert not desk.file.exists() and not (desk.review.folder / "anna.jsonl").exists()


def test_looking_alone_changes_no_file_that_the_workflow_reads(desk):
    desk.act("anna", "open")
    assert not desk.file.exists()
    desk.keep("anna", 0)
    before = desk.file.stat().st_mtime_ns
    desk.act("anna", "open")
    desk.review.close()
    desk.open()
    assert desk.file.stat().st_mtime_ns == before


# Several annotators


def test_two_agree(desk):
    desk.keep("anna", 0)
    desk.keep("ben", 0)
    assert desk.rows()["a"][:2] == ("keep", "anna, ben")
    assert desk.review.candidates(TRAIN, "carol")["own"] == "----"
    assert desk.review.annotators == ["anna", "ben"]


def test_two_differ_and_a_third_settles(desk):
    desk.keep("anna", 0)
    answer = desk.reject("ben", 0)
    assert answer["changed"] == [[0, "r", "d"]] and answer["status"]["disagreements"] == 1
    assert desk.rows()["a"] == (
        "", "anna, ben", "anna: keep (0.0 s); ben: reject (0.0 s)",
    )  # fmt: skip
    found = desk.review.disagreements()
    assert (found["images"], found["settled"]) == ([0], [None])
    assert found["votes"] == [[["anna", "keep"], ["ben", "reject"]]]
    assert (found["classes"], found["scores"]) == ([[TRAIN]], [[0.9]])
    answer = desk.act("carol", "settle", 0, decision="keep", class_id=None)
    assert answer["status"]["disagreements"] == 0 and answer["class"] is None
    assert desk.rows()["a"][:2] == ("keep", "carol")
    assert desk.rows()["a"][2].endswith("carol settles: keep (0.0 s)")
    assert desk.review.disagreements()["settled"] == [["carol", "keep"]]
    desk.open()
    assert desk.rows()["a"][:2] == ("keep", "carol")
    desk.act("anna", "settle", 0, decision="reject")
    assert desk.words()["a"] == "reject"  # The last word.
    desk.act("carol", "settle", 0, decision="")
    assert desk.words()["a"] == "" and desk.review.status("anna")["disagreements"] == 1


def test_one_who_decides_and_settles_is_counted_once(desk):
    desk.act("anna", "open")
    desk.keep("anna", 0)
    desk.reject("ben", 0)
    desk.act("anna", "settle", 0, decision="reject", after=1.0)
    votes = "anna: keep (5.0 s); anna settles: reject (0.0 s); ben: reject (0.0 s)"
    assert desk.rows()["a"] == ("reject", "anna", votes)


def test_the_workflow_reads_what_the_page_writes(desk):
    desk.act("Anna B.", "open")
    desk.keep("Anna B.", 0, 1)
    desk.reject("ben-2", 0)
    desk.act("Anna B.", "decide", 1, decision="", after=3.0)
    desk.act("carol", "settle", 0, decision="keep")
    table = read_table(desk.file, ("image_id", "decision"))
    assert votes_on(table, ["a", "b"], where="decisions.csv") == {
        "a": [
            Vote("Anna B.", "keep", 1.0, settles=False),
            Vote("ben-2", "reject", 0.0, settles=False),
            Vote("carol", "keep", 0.0, settles=True),
        ],
        "b": [Vote("Anna B.", "", 6.0, settles=False)],
    }  # fmt: skip
    ranking = pd.DataFrame(ROWS, columns=["class_name", "image_id", "score"])
    checked = check_manual(table, ranking, where="decisions.csv")
    assert checked.values.tolist() == [["a", "keep", "carol"]]


def test_agreement_is_cohens_kappa_of_what_both_decided(desk):
    desk.keep("anna", 0, 1)
    desk.reject("anna", 2, 3)
    desk.keep("ben", 0)
    desk.reject("ben", 1, 2)
    (pair,) = desk.review.status(None)["agreement"]
    assert (pair["first"], pair["second"], pair["both"], pair["differ"]) == ("anna", "ben", 3, 1)
    assert pair["kappa"] == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))


def test_undo_is_everyones_own(desk):
    desk.keep("anna", 0)
    desk.keep("ben", 1)
    desk.act("anna", "undo")
    assert desk.words() == {"a": "", "b": "keep"}


def test_many_at_once_lose_nothing(tmp_path):
    rows = [("train", f"i{n}", 0.5) for n in range(200)]
    review = Review(ranked_from(rows, ("train",)), tmp_path / "d.csv", wanted=None)

    def work(name):
        for number in range(200):
            review.act(
                name, action_id=f"{number}", action="decide", images=[number], decision="keep"
            )

    threads = [threading.Thread(target=work, args=(f"person {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert review.status(None)["total"]["kept"] == 200
    assert (tmp_path / "d.csv").read_text().count("person 0, person 1, person 2, person 3") == 200
    again = Review(ranked_from(rows, ("train",)), tmp_path / "d.csv", wanted=None)
    assert [pair["kappa"] for pair in again.status(None)["agreement"]] == [None] * 6
    assert again.changes == 800


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["decide", "settle"]), st.sampled_from(["anna", "ben"]),
                  st.sets(st.integers(0, 4), min_size=1), st.sampled_from(["keep", "reject", ""])),
        st.tuples(st.sampled_from(["undo", "redo"]), st.sampled_from(["anna", "ben"])),
    ),
    max_size=25,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STEPS)
def test_counts_kept_up_to_date_are_those_taken_anew(tmp_path_factory, steps):
    desk = Desk(tmp_path_factory.mktemp("desk"), wanted=2)
    for action, name, *what in steps:
        images, word = what if what else ((), "")
        try:
            desk.act(name, action, *sorted(images), decision=word)
        except NothingLeftError:
            continue
    kept_up = desk.review
    columns = [kept_up.candidates(class_id, "anna") for class_id in (BOAT, TRAIN)]
    for account, column in zip(kept_up.status("anna")["accounts"], columns, strict=True):
        assert account["kept"] == column["final"].count("k")
        assert account["rejected"] == column["final"].count("r")
        assert account["own_decided"] == sum(letter != "-" for letter in column["own"])
    content = desk.file.read_bytes() if desk.file.exists() else b""
    desk.open()
    for name in ("anna", "ben", None):
        assert desk.review.status(name) == kept_up.status(name)
    assert desk.review.disagreements() == kept_up.disagreements()
    assert content == (desk.file.read_bytes() if desk.file.exists() else b"")
