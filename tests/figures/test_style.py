import pytest
from matplotlib.lines import Line2D

from wsss.figures.style import footnote, legend_above, new_figure


@pytest.mark.parametrize("letters", [3, 30, 60])
def test_a_legend_stays_within_the_figure(letters):
    figure = new_figure(7.4, 3.0)
    handles = [Line2D([], [], label=f"{number}" * letters) for number in range(6)]
    legend_above(figure, handles)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 6
    fits = legend.get_window_extent().width <= figure.bbox.width
    columns = legend._ncols
    assert fits and columns == {3: 4, 30: 2, 60: 1}[letters]


@pytest.mark.parametrize("letters", range(60, 96))
def test_a_footnote_breaks_between_words_and_not_within_a_number(letters):
    figure = new_figure(7.4, 3.0)
    footnote(figure, f"{'x' * letters} ± 1 sd; 99 % of the images")
    text = figure.get_supxlabel()
    assert text.split() == ["x" * letters, "±", "1", "sd;", "99", "%", "of", "the", "images"]
    lines = [line.replace("\xa0", " ") for line in text.split("\n")]
    assert sum("± 1 sd;" in line for line in lines) == sum("99 %" in line for line in lines) == 1
