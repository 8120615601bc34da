"""What the report says of collecting OoD images."""

import numpy as np
import pandas as pd
import pytest

from wsss.ood.decisions import decision_summary
from wsss.ood.votes import AGREEMENT_COLUMNS, ANNOTATOR_COLUMNS
from wsss.report.ood_collection import (
    AGREEMENT,
    ANNOTATORS,
    SUMMARY_OF_DECISIONS,
    agreement_sentences,
    collection_table,
    deciders,
    duration,
    pruning_table,
)


def test_it_reads_what_the_deciding_writes():
    """The two rooms do not import one another."""
    assert tuple(ANNOTATORS) == ANNOTATOR_COLUMNS and tuple(AGREEMENT) == AGREEMENT_COLUMNS
    empty = decision_summary(
        pd.DataFrame(columns=["image_id", "decision"]),
        pd.DataFrame(columns=["class_name", "image_id"]),
        wanted=None,
    )
    assert set(SUMMARY_OF_DECISIONS) <= set(empty.columns)


def test_the_rate_stands_with_its_interval():
    ranking = pd.DataFrame({"class_name": ["b", "a"], "num_candidates": 9})
    decided = pd.DataFrame(
        [("all", 10, 2, 0.2, 0.0567, 0.5098), ("b", 0, 0, *[np.nan] * 3), ("a", 3, 3, 1, 0.44, 1)],
        columns=SUMMARY_OF_DECISIONS,
    )
    table = collection_table(ranking, decided)
    assert table["class"].tolist() == ["b", "a", "all classes"]
    assert table["r (95 % interval)"].tolist() == ["–", "1.00 (0.44–1.00)", "0.20 (0.06–0.51)"]
    last = table["to look at for 100"].tolist()
    assert np.isnan(last[:2]).all() and last[2] == pytest.approx(125)


def test_who_decided_is_said_once():
    cells = pd.DataFrame({"decided_by": ["ben", "anna, ben", "carol", "manual", "manual"]})
    assert deciders(cells) == ["Decided by a person.", "Decided by anna, ben, carol."]
    assert deciders(pd.DataFrame({"decided_by": ["none"]}))[0].startswith("Nobody looked")


def annotators(*rows):
    return pd.DataFrame(rows, columns=ANNOTATORS)


def test_time_is_shown_where_it_is_known():
    table = pruning_table(
        annotators(("anna", 4, 1, 0.25, 1, 7.5), ("ben", 2, 0, 0.0, 0, np.nan),
                   ("by hand", 3, 0, 0.0, 0, 0.0))
    )  # fmt: skip
    assert table["annotator"].tolist() == ["anna", "ben", "by hand"]
    assert table["seconds per decision"].tolist()[0] == 1.5
    assert table["seconds per decision"].isna().tolist() == [False, True, True]
    assert table["time spent (h:mm:ss)"].tolist() == ["0:00:08", "–", "–"]
    assert pruning_table(annotators()).empty


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0:00:00"), (59.6, "0:01:00"), (3600, "1:00:00"), (4e5, "111:06:40")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_sentence_for_each_pair():
    table = pd.DataFrame(
        [("a", "b", 1200, 30, 4, 0.876), ("a", "c", 5, 0, 0, 1.0), ("b", "c", 1, 0, 0, np.nan)],
        columns=AGREEMENT,
    )
    assert agreement_sentences(table) == [
        "Cohen's kappa of a and b is 0.88 on 1,200 images that both decided; of 30 on which they "
        "differ, a further look settled 4.",
        "Cohen's kappa of a and c is 1.00 on 5 images that both decided; they never differ.",
        "b and c say one and the same of 1 image that both decided, all kept or all rejected, of "
        "which Cohen's kappa is not defined.",
    ]
    assert agreement_sentences(table.iloc[:0]) == []
