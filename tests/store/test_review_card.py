"""The card of an OoD set that a person decides on."""

import json
from dataclasses import asdict

import pytest

from wsss.store.review_card import ReviewCard, read_review_card, write_review_card

CARD = ReviewCard(
    dataset="voc12", ood_set="hard", decisions="data/Entscheidungen für 2012.csv",
    wanted_per_class=260, undecided="stop", ranking="r/ranking.csv", candidates="r/candidates.csv",
    classes="r/classes.csv", classifier="r/f_in/s0/classifier.safetensors",
)  # fmt: skip


def refused(folder, words):
    with pytest.raises(ValueError, match=words) as caught:
        read_review_card(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wanted", [260, None])
def test_a_card_comes_back(tmp_path, wanted):
    card = ReviewCard(**{**asdict(CARD), "wanted_per_class": wanted})
    write_review_card(tmp_path / "review.json", card)
    assert read_review_card(tmp_path) == card
    assert "für" in (tmp_path / "review.json").read_text("utf-8")


def test_another_folder_says_what_makes_one(tmp_path):
    folder = tmp_path / "results/ood/hard"
    refused(folder, rf"^{folder} is no folder of an OoD set that a person decides on \(kind: "
            rf"manual\): {folder}/review\.json does not exist; make it with `snakemake --cores 1 "
            rf"{folder}/review\.json`$")  # fmt: skip
    (tmp_path / "results").write_text("a file")
    refused(folder, "is no folder of an OoD set")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is no JSON \(.*\); delete it and make it again with `snakemake --cores 1 .*json`"),
        (b'{"dataset": "v', "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", r"is damaged \(expected the keys dataset, .*, got list\)"),
        (b"{}", "got none"),
    ],
)
def test_a_damaged_card_is_refused(tmp_path, content, words):
    (tmp_path / "review.json").write_bytes(content)
    refused(tmp_path, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wanted_per_class": 0}, "wanted_per_class is 0, but a number from 1 on or null"),
        ({"wanted_per_class": True}, "wanted_per_class is True"),
        ({"wanted_per_class": 2.5}, "wanted_per_class is 2.5"),
        ({"undecided": "go"}, "undecided is 'go', but known are stop, leave_out"),
        ({"ranking": ""}, "ranking is '', but text is needed"),
        ({"classifier": 7}, "classifier is 7, but text is needed"),
        ({"colour": "red"}, "expected the keys .*, got dataset, .*colour"),
    ],
)
def test_other_values_are_refused(tmp_path, change, words):
    (tmp_path / "review.json").write_text(json.dumps({**asdict(CARD), **change}))
    refused(tmp_path, rf"is damaged \({words}.*\); delete it and make it again with `snakemake")


def test_a_card_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "review.json").mkdir()
    refused(tmp_path, r"review\.json cannot be read \(.*\); make it a file that you may read")
