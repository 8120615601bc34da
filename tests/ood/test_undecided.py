"""What is asked for while a person has not decided enough."""

import re
from pathlib import Path

import pandas as pd
import pytest

from wsss.ood.undecided import check_decided

FOLDER = Path("results/voc2012/ood/hard")


def ranking_of(counts):
    rows = [
        (name, rank, f"{name}{rank}", 0.9)
        for name, count in counts.items()
        for rank in range(1, count + 1)
    ]
    return pd.DataFrame(rows, columns=["class_name", "rank", "image_id", "score"])


def decisions_of(**words):
    """Decisions on each class's first candidates, as letters k and r."""
    rows = [
        (f"{name}{rank}", {"k": "keep", "r": "reject"}[letter], "anna")
        for name, letters in words.items()
        for rank, letter in enumerate(letters, start=1)
    ]
    return pd.DataFrame(rows, columns=["image_id", "decision", "decided_by"])


def said(counts, wanted, undecided="stop", **words):
    """The sentence that check_decided stops with, or nothing."""
    try:
        check_decided(
            decisions_of(**words), ranking_of(counts), wanted_per_class=wanted,
            undecided=undecided, ood_set="hard", folder=FOLDER,
        )  # fmt: skip
    except ValueError as error:
        return str(error)
    return ""


def test_it_says_how_much_is_left_and_how_it_is_decided():
    counts = {"boat": 20, "bus": 30, "cow": 4}
    assert said(counts, 10, boat="krkr", bus="k" * 10, cow="kr") == (
        "ood_sets.hard: 38 of 54 ranked candidates are undecided, and 2 of 3 classes (boat, cow) "
        "lack their 10 (about 18 images to look at): decide them with "
        "`wsss review results/voc2012/ood/hard`, or set ood_sets.hard.undecided to leave_out to "
        "train with what is kept"
    )
    assert said(counts, None, boat="k" * 20, bus="r" * 29, cow="kkkk") == (
        "ood_sets.hard: 1 of 54 ranked candidates is undecided, in 1 of 3 classes (bus): decide "
        "them with `wsss review results/voc2012/ood/hard`, or set ood_sets.hard.undecided to "
        "leave_out to train with what is kept"
    )


def test_what_nobody_knows_yet_is_not_said():
    counts = {"boat": 2000, "bus": 2}
    assert said(counts, 260, bus="rr") == (
        "ood_sets.hard: 2,000 of 2,002 ranked candidates are undecided, and 1 of 2 classes (boat) "
        "lacks its 260: decide them with `wsss review results/voc2012/ood/hard`"
    )
    many = said({f"c{n}": 1 for n in range(20)}, 1)
    assert "20 of 20 classes (c0, c1, c2, c3, c4 and 15 more) lack their 1: decide" in many


def test_an_image_of_two_classes_is_counted_once():
    ranking = ranking_of({"boat": 1, "bus": 1}).assign(image_id="same")
    with pytest.raises(ValueError, match=r"1 of 1 ranked candidates is .* 2 of 2 classes"):
        check_decided(
            decisions_of(), ranking, wanted_per_class=None, undecided="stop", ood_set="hard",
            folder=FOLDER,
        )  # fmt: skip


def test_who_has_enough_of_every_class_goes_on():
    counts = {"boat": 20, "bus": 3}
    assert said(counts, 2, boat="krk", bus="rrk") == ""
    assert said(counts, None, boat="k" * 20, bus="rrr") == ""
    assert said({}, 5) == said({}, None) == ""


def test_candidates_that_do_not_suffice_are_named(caplog):
    assert said({"boat": 20, "bus": 3}, 2, boat="kk", bus="rrk") == ""
    assert re.search(r"fewer are kept than wanted, of bus \(1 of 2\): offer more", caplog.text)


def test_the_undecided_can_be_left_out_once_anything_is_decided(caplog):
    counts = {"boat": 20, "bus": 3}
    assert said(counts, 5, "leave_out", boat="kr") == ""
    assert "21 of 23 ranked candidates are undecided, and 2 of 2 classes" in caplog.text
    assert "they are not used" in caplog.text
    assert said(counts, 5, "leave_out").endswith("with `wsss review results/voc2012/ood/hard`")
