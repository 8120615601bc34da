"""Decisions by known labels, by nobody and by hand."""

import math

import pandas as pd
import pytest

from wsss.ood.decisions import check_manual, decide_by_oracle, decision_summary, keep_all
from wsss.ood.pruning import wilson_interval


@pytest.fixture
def ranking():
    return pd.DataFrame(
        [
            ("train", 1, "001", 0.9),
            ("train", 2, "002", 0.8),
            ("bird", 1, "003", 0.9),
            ("bird", 2, "001", 0.7),
            ("bird", 3, "004", 0.6),
        ],
        columns=["class_name", "rank", "image_id", "score"],
    )


def by_hand(*rows):
    return pd.DataFrame(rows, columns=["image_id", "decision", "decided_by"])


def test_oracle_rejects_every_image_with_a_foreground_object(ranking):
    labels = {"001": [], "002": ["train"], "003": ["cow"], "004": (), "never ranked": ["bird"]}
    decisions = decide_by_oracle(ranking, labels)
    assert dict(zip(decisions["image_id"], decisions["decision"], strict=True)) == {
        "001": "keep",
        "002": "reject",
        "003": "reject",
        "004": "keep",
    }
    assert set(decisions["decided_by"]) == {"oracle (true image labels)"}


def test_the_oracle_leaves_images_of_unknown_labels_undecided(ranking, caplog):
    decisions = decide_by_oracle(ranking, {"001": [], "002": ["train"]})
    assert decisions[["image_id", "decision"]].values.tolist() == [
        ["001", "keep"],
        ["002", "reject"],
    ]
    assert "2 of 4 ranked images are not known: they are left undecided" in caplog.text
    summary = decision_summary(decisions, ranking, wanted=None).set_index("class_name")
    assert summary.loc["all", ["num_ranked", "num_checked"]].tolist() == [4, 2]


def test_an_oracle_that_knows_nothing_cannot_decide(ranking):
    with pytest.raises(ValueError, match="of none of the 4 ranked images are known"):
        decide_by_oracle(ranking, {"never ranked": []})
    assert decide_by_oracle(ranking.iloc[:0], {}).empty


def test_keep_all_keeps_each_image_once(ranking):
    decisions = keep_all(ranking)
    assert decisions["image_id"].tolist() == ["001", "002", "003", "004"]
    assert set(decisions["decision"]) == {"keep"}
    assert set(decisions["decided_by"]) == {"none"}
    assert list(keep_all(ranking.iloc[:0]).columns) == ["image_id", "decision", "decided_by"]


def test_manual_decisions_leave_undecided_images_out(ranking):
    checked = check_manual(
        by_hand(("001", " keep ", "anna"), ("002", "reject", None), ("003", None, "anna")),
        ranking,
        where="my.csv",
    )
    assert checked.values.tolist() == [["001", "keep", "anna"], ["002", "reject", "manual"]]
    without = by_hand(("001", "keep", "")).drop(columns="decided_by")
    assert check_manual(without, ranking, where="my.csv")["decided_by"].tolist() == ["manual"]
    assert check_manual(by_hand(), ranking, where="my.csv").empty


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("001", "keep", ""), ("001", "reject", "")], "row 3: image 001 was decided in row 2"),
        ([("001", "maybe", "")], "row 2: 'maybe' for image 001 is not a decision"),
    ],
)
def test_manual_mistakes_name_the_row(ranking, rows, words):
    with pytest.raises(ValueError, match=rf"my\.csv, {words}"):
        check_manual(by_hand(*rows), ranking, where="my.csv")


def test_decisions_on_images_that_are_not_ranked_are_left_out_and_counted(ranking, caplog):
    """They stay true when the classifier, and with it the ranking, changes."""
    rows = ("999", "keep", "anna"), ("001", "keep", "anna"), ("998", "", "")
    checked = check_manual(by_hand(*rows), ranking, where="my.csv")
    assert checked.values.tolist() == [["001", "keep", "anna"]]
    assert "my.csv: 2 of 3 rows are of images that are not ranked, 999 for one" in caplog.text


def test_decisions_of_which_none_is_ranked_are_refused(ranking):
    words = r"my\.csv has no row of a ranked image \(of 2, the first is of 999\)"
    for decision in ("keep", ""):
        rows = by_hand(("999", decision, ""), ("998", decision, ""))
        with pytest.raises(ValueError, match=words):
            check_manual(rows, ranking, where="my.csv")


def test_manual_table_needs_its_columns(ranking):
    with pytest.raises(ValueError, match=r"my\.csv has no column decision"):
        check_manual(pd.DataFrame({"image_id": ["001"]}), ranking, where="my.csv")


def test_summary_counts_each_image_once_over_all_and_in_each_class(ranking):
    decisions = by_hand(("001", "reject", ""), ("002", "keep", ""), ("003", "keep", ""))
    table = decision_summary(decisions, ranking, wanted=10).set_index("class_name")
    bounds = ["positive_rate_low", "positive_rate_high"]
    counts = table.drop(columns=bounds)
    assert counts.loc["all"].tolist() == pytest.approx([4, 3, 1, 1 / 3, 15])
    assert counts.loc["train"].tolist() == pytest.approx([2, 2, 1, 0.5, 20])
    assert counts.loc["bird"].tolist() == pytest.approx([3, 2, 1, 0.5, 20])
    assert table.loc["all", bounds].tolist() == pytest.approx(wilson_interval(1, 3))


def test_summary_without_a_wish_costs_what_was_checked(ranking):
    decisions = by_hand(("001", "reject", ""), ("002", "keep", ""))
    table = decision_summary(decisions, ranking, wanted=None).set_index("class_name")
    assert table.loc["all", "annotation_cost"] == 2
    nothing = decision_summary(by_hand(), ranking, wanted=5)
    assert nothing.filter(like="positive_rate").isna().all(axis=None)
    assert nothing["annotation_cost"].map(math.isnan).all()
