"""Votes in a decisions file, and what they say of annotators."""

import numpy as np
import pandas as pd
import pytest

from wsss.ood.votes import (
    AGREEMENT_COLUMNS,
    ANNOTATOR_COLUMNS,
    Vote,
    agreement_table,
    annotator_table,
    parse_votes,
    votes_on,
)

NAN = float("nan")


def seen(votes):
    return [(v.annotator, v.decision, v.seconds, v.settles) for v in votes]


def test_votes_are_read():
    text = "anna: keep (1.4 s); ben: reject (2.0 s); carol settles: keep (3.1 s)"
    assert seen(parse_votes(text, where="")) == [
        ("anna", "keep", 1.4, False), ("ben", "reject", 2.0, False), ("carol", "keep", 3.1, True),
    ]  # fmt: skip
    assert seen(parse_votes("anna: - (0.8 s)", where="")) == [("anna", "", 0.8, False)]
    assert seen(parse_votes("carol: keep (2 s);carol settles: - (0.0 s);", where="")) == [
        ("carol", "keep", 2.0, False), ("carol", "", 0.0, True),
    ]  # fmt: skip
    (vote,) = parse_votes(" Zoë O._-7 b: reject ", where="")
    assert vote.annotator == "Zoë O._-7 b" and np.isnan(vote.seconds)
    assert parse_votes("", where="") == parse_votes(" ; ", where="") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("anna: maybe (1.0 s)", r"my\.csv, row 7: 'anna: maybe \(1\.0 s\)' is no vote; write NAME"),
        ("anna keep", "'anna keep' is no vote"),
        ("anna: keep (1,4 s)", "is no vote"),
        ("anna: keep (-1.0 s)", "is no vote"),
        ("a/b: keep (1.0 s)", "'a/b: keep .* is no vote"),
        ("anna: keep (1.0 s), ben: keep (1.0 s)", "and ; between votes"),
        ("anna: keep; ben: keep; anna: reject", "row 7: anna votes twice; leave one"),
    ],
)
def test_other_texts_are_refused(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        parse_votes(text, where="my.csv, row 7")
    assert "\n" not in str(caught.value)


def table(*rows):
    return pd.DataFrame(rows, columns=["image_id", "decision", "decided_by", "votes"])


def test_only_the_ranked_images_votes_are_read_and_mistakes_name_the_row():
    rows = table(("1", "keep", "anna", "anna: keep (1.0 s)"), ("2", "", "", "nonsense"))
    assert list(votes_on(rows, ["1", "3"], where="my.csv")) == ["1"]
    with pytest.raises(ValueError, match=r"my\.csv, row 3: 'nonsense' is no vote"):
        votes_on(rows, ["1", "2"], where="my.csv")


def test_without_votes_who_decided_tells():
    rows = table(("1", "keep", "anna, ben", None), ("2", "reject", "", ""), ("3", "", "anna", ""))
    found = votes_on(rows, ["1", "2", "3"], where="")
    assert [v.annotator for v in found["1"]] == ["anna", "ben"]
    assert [v.annotator for v in found["2"]] == ["manual"] and found["3"] == []
    bare = votes_on(rows[["image_id", "decision"]], ["1", "2", "3"], where="")
    (vote,) = bare["1"]
    assert vote.annotator == "manual" and vote.decision == "keep" and np.isnan(vote.seconds)
    assert annotator_table(bare).values.tolist()[0][:5] == ["manual", 2, 1, 0.5, 0]
    assert annotator_table(bare)["seconds"].isna().all()


def vote(annotator, decision, seconds=1.0, *, settles=False):
    return Vote(annotator, decision, seconds, settles)


@pytest.fixture
def votes():
    return {
        "both keep": [vote("anna", "keep", 2.0), vote("ben", "keep", NAN)],
        "both reject": [vote("anna", "reject"), vote("ben", "reject")],
        "settled": [vote("anna", "keep"), vote("ben", "reject"),
                    vote("carol", "keep", 3.0, settles=True)],
        "open": [vote("anna", "reject"), vote("ben", "keep"), vote("carol", "", settles=True)],
        "withdrawn": [vote("anna", ""), vote("ben", "keep")],
        "alone": [vote("carol", "keep", 0.5)],
    }  # fmt: skip


def test_what_each_annotator_did_by_hand(votes):
    found = annotator_table(votes)
    assert list(found.columns) == list(ANNOTATOR_COLUMNS)
    assert found.values.tolist() == [
        ["anna", 4, 2, 0.5, 0, 6.0],
        ["ben", 5, 2, 0.4, 0, 4.0],
        ["carol", 1, 0, 0.0, 1, 4.5],
    ]


def test_agreement_by_hand(votes):
    """Of four images, two alike; by chance half: kappa is 0. One of two others is settled."""
    found = agreement_table(votes)
    assert list(found.columns) == list(AGREEMENT_COLUMNS)
    assert found.values.tolist() == [["anna", "ben", 4, 2, 1, 0.0]]


def test_who_only_settles_has_no_rate_and_one_word_throughout_no_kappa():
    only = {"1": [vote("carol", "keep", 3.0, settles=True)]}
    assert np.isnan(annotator_table(only)["positive_rate"]).all()
    same = {str(n): [vote("anna", "keep"), vote("ben", "keep")] for n in range(3)}
    found = agreement_table(same)
    assert found["num_both"].tolist() == [3] and found["kappa"].isna().all()


def test_nobody_is_a_table_with_its_columns():
    assert list(annotator_table({}).columns) == list(ANNOTATOR_COLUMNS)
    assert agreement_table({"1": []}).empty
    assert list(agreement_table({}).columns) == list(AGREEMENT_COLUMNS)
