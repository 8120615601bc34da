"""Sheets of OoD images."""

import numpy as np
import pandas as pd
import pytest

from wsss.data.images import write_jpeg
from wsss.figures.ood_sheet import KEPT, REJECTED, pruned_sheet


@pytest.fixture
def paths(tmp_path):
    found = {f"i{n}": tmp_path / f"i{n}.jpg" for n in range(6)}
    for path in found.values():
        write_jpeg(path, np.full((8, 10, 3), 100, np.uint8), quality=90)
    return found


def ranking(**classes):
    rows = [
        (name, rank, f"i{number}", 1 - rank / 10)
        for name, numbers in classes.items()
        for rank, number in enumerate(numbers, start=1)
    ]
    # In another order than by rank.
    return pd.DataFrame(rows[::-1], columns=["class_name", "rank", "image_id", "score"])


def decided(**words):
    return pd.DataFrame({"image_id": list(words), "decision": list(words.values())})


def seen(figure):
    """(colour of the frame, caption) of each place of the figure; None where it is empty."""
    return [
        (next(iter(axes.spines.values())).get_edgecolor()[:3], axes.get_xlabel())
        if axes.get_images()
        else None
        for axes in figure.axes
    ]


def test_the_best_of_each_kind_stand_side_by_side(paths):
    table = ranking(train=[0, 1, 2, 3, 4], bird=[5, 1])
    decisions = decided(i0="reject", i1="keep", i3="keep", i4="keep")
    figure = pruned_sheet(paths, table, decisions, columns=5, width=6.0)
    blue, orange = (
        tuple(int(c[place : place + 2], 16) / 255 for place in (1, 3, 5)) for c in (KEPT, REJECTED)
    )
    # As in the ranking: bird first. Of an odd number of columns, the smaller half.
    assert seen(figure) == [
        (pytest.approx(blue), "0.80 kept"), None, None, None,
        (pytest.approx(blue), "0.80 kept"), (pytest.approx(blue), "0.60 kept"),
        (pytest.approx(orange), "0.90 rejected"), None,
    ]  # fmt: skip
    assert [axes.get_ylabel() for axes in figure.axes[::4]] == ["bird\n(1 + 0)", "train\n(3 + 1)"]
    assert [axes.get_title() for axes in figure.axes[:4]] == ["kept", "", "rejected", ""]


def test_one_column_still_shows_both(paths):
    decisions = decided(i0="reject", i1="keep")
    figure = pruned_sheet(paths, ranking(train=[0, 1]), decisions, columns=1, width=3.0)
    assert [place[1] for place in seen(figure)] == ["0.80 kept", "0.90 rejected"]


def test_a_class_that_nobody_looked_at_leaves_its_row_empty(paths):
    table = ranking(train=[0], bird=[1])
    figure = pruned_sheet(paths, table, decided(i0="keep"), columns=2, width=3.0)
    assert seen(figure)[:2] == [None, None]
    with pytest.raises(ValueError, match="no ranked candidate is decided"):
        pruned_sheet(paths, table, decided(), columns=2, width=3.0)
