"""Selection of hard and random sets."""

import pandas as pd
import pytest

from wsss.data.selected import selected_labels
from wsss.ood.decisions import keep_all
from wsss.ood.select import select_hard, select_random, select_random_hard


def table(**classes):
    rows = [
        (name, rank, image_id, 1 - rank / 100)
        for name, ids in classes.items()
        for rank, image_id in enumerate(ids.split(), start=1)
    ]
    return pd.DataFrame(rows, columns=["class_name", "rank", "image_id", "score"])


RANKING = table(train="a b c d e f", bird="x b a", cow="b y")


def test_an_image_stands_once_with_the_class_of_its_best_rank():
    """Image b is second for train and bird but first for cow; a is first for train."""
    selected = select_hard(RANKING, keep_all(RANKING), size=None)
    classes = dict(zip(selected["image_id"], selected["class_name"], strict=True))
    assert classes == dict.fromkeys("acdef", "train") | {"x": "bird", "b": "cow", "y": "cow"}
    assert list(selected.columns) == ["image_id", "class_name", "score"]
    assert selected.set_index("image_id").loc["c", "score"] == pytest.approx(0.97)


def test_a_limit_is_shared_by_the_classes_in_turn():
    decisions = keep_all(RANKING)
    assert select_hard(RANKING, decisions, size=3)["image_id"].tolist() == ["a", "x", "b"]
    five = select_hard(RANKING, decisions, size=5)
    assert five["image_id"].tolist() == ["a", "x", "b", "c", "y"]
    every = select_hard(RANKING, decisions, size=8)["image_id"].tolist()
    assert every[:5] == five["image_id"].tolist()


def test_only_kept_images_are_selected():
    decisions = keep_all(RANKING)
    decisions.loc[decisions["image_id"].isin(["a", "x"]), "decision"] = "reject"
    undecided = decisions[decisions["image_id"] != "y"]
    assert sorted(select_hard(RANKING, undecided, size=None)["image_id"]) == list("bcdef")


def test_equal_ranks_go_to_the_higher_score_then_the_first_class():
    ranking = pd.DataFrame(
        [("p", 1, "a", 0.6), ("q", 1, "a", 0.9), ("p", 2, "b", 0.5), ("q", 2, "b", 0.5)],
        columns=["class_name", "rank", "image_id", "score"],
    )
    selected = select_hard(ranking, keep_all(ranking), size=None).set_index("image_id")
    assert selected["class_name"].to_dict() == {"a": "q", "b": "p"}


def test_random_set_depends_on_ids_and_seed_only():
    ids = [f"{n:03d}" for n in range(50)]
    drawn = select_random(ids, size=10, random_seed=1)
    pd.testing.assert_frame_equal(drawn, select_random(ids[::-1], size=10, random_seed=1))
    assert drawn["image_id"].is_unique
    assert set(drawn["class_name"]) == {""}
    assert drawn["score"].isna().all()
    assert not drawn.equals(select_random(ids, size=10, random_seed=2))
    larger = select_random(ids, size=20, random_seed=1)["image_id"].tolist()
    assert larger[:10] == drawn["image_id"].tolist()
    assert len(select_random(ids, size=None, random_seed=1)) == 50


def test_random_hard_set_draws_each_ranked_image_at_most_once():
    drawn = select_random_hard(RANKING, size=8, random_seed=0)
    assert sorted(drawn["image_id"]) == sorted("abcdefxy")
    assert drawn.set_index("image_id").loc["b", "class_name"] == "cow"
    few = select_random_hard(RANKING.iloc[::-1], size=3, random_seed=0)
    assert few["image_id"].tolist() == drawn["image_id"].tolist()[:3]


def test_random_hard_set_favours_no_rank():
    """Over many seeds each of the eight images comes about equally often (50 of 400, sd 7)."""
    counts = pd.concat([select_random_hard(RANKING, size=1, random_seed=s) for s in range(400)])[
        "image_id"
    ].value_counts()
    assert counts.min() > 25
    assert counts.max() < 80


def test_too_large_or_empty_sets_are_refused():
    nobody = keep_all(RANKING).assign(decision="reject")
    with pytest.raises(ValueError, match="no kept ranked images"):
        select_hard(RANKING, nobody, size=None)
    with pytest.raises(ValueError, match=r"asked for 9 .* there are 8 kept ranked images"):
        select_hard(RANKING, keep_all(RANKING), size=9)
    with pytest.raises(ValueError, match="there are 2 candidates: set a size of 1 to 2"):
        select_random(["a", "b"], size=0, random_seed=0)
    with pytest.raises(ValueError, match="candidate a comes twice"):
        select_random(["a", "b", "a"], size=1, random_seed=0)
    with pytest.raises(ValueError, match="no ranked images"):
        select_random_hard(RANKING.iloc[:0], size=None, random_seed=0)


def test_the_class_that_an_image_was_ranked_for():
    selected = pd.DataFrame({"image_id": ["a", "b"], "class_name": ["train", ""]})
    found = selected_labels(selected, ["bird", "train"])
    assert {image_id: ids.tolist() for image_id, ids in found.items()} == {"a": [1], "b": []}
