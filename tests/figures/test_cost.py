import pandas as pd
import pytest

from wsss.figures.cost import MOST_RULES, cost_bars
from wsss.figures.style import picture_bytes


def table(rules, *, hours=1.0, gpus=False):
    own = {"GPU-hours": [0.5, *[0.0] * (rules - 1)]} if gpus else {}
    names = [f"rule_{n}" for n in range(rules)]
    return pd.DataFrame({"rule": names, "jobs": 2, "core-hours": hours, **own, "peak": 1.0})


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_one_panel_without_gpus_and_two_with():
    (axes,) = cost_bars(table(3)).axes
    assert axes.get_title(loc="left") == "3 core-hours"
    assert texts(axes) == ["1  (33 %)"] * 3
    cores, gpus = cost_bars(table(3, gpus=True)).axes
    assert next(label.get_text() for label in cores.get_yticklabels()) == "rule_0 (2)"
    # Less than an hour in all.
    assert gpus.get_title(loc="left") == "30 GPU-minutes"
    assert texts(gpus) == ["30  (100 %)", "0", "0"]


def test_many_rules_end_in_one_bar():
    (axes,) = cost_bars(table(MOST_RULES + 5)).axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == MOST_RULES + 1 and labels[-1] == "5 more rules (10)"
    assert texts(axes)[-1] == "5  (29 %)"
    (axes,) = cost_bars(table(MOST_RULES + 1)).axes
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "rule_12 (2)"


def test_no_text_leaves_the_picture():
    figure = cost_bars(table(MOST_RULES + 3, hours=12345.6, gpus=True))
    figure.canvas.draw()
    width = figure.bbox.width
    for axes in figure.axes:
        for text in [*axes.texts, *axes.get_yticklabels()]:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= width


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_bytes_are_stable(kind):
    first, second = (picture_bytes(cost_bars(table(4, gpus=True)), kind) for _ in range(2))
    assert first == second


def test_no_cost_is_no_picture():
    with pytest.raises(ValueError, match="no job has ended yet"):
        cost_bars(table(0))
