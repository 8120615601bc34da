"""One panel of horizontal bars, one for each arm, with the spread over random seeds."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes

from wsss.figures.style import FAINT, INK, ArmStyle, grid_lines


def bar_panel(
    axes: Axes,
    values: Mapping[str, np.ndarray],
    *,
    styles: Mapping[str, ArmStyle],
    title: str,
    lower_is_better: bool,
    text: Callable[[float], str],
    beside: Mapping[str, str],
) -> None:
    """Draw a bar for the mean of each arm, its standard deviation as whisker and values as dots.

    Args:
        axes: Where to.
        values: By label, from the top, the values of the random seeds, as shown; an arm whose
            values are all nan gets no bar.
        styles: Look of each label.
        title: Of the panel.
        lower_is_better: Is said below, if so.
        text: What stands at a bar for a value.
        beside: What stands behind that, by label; labels may be left out.
    """
    known = [own[~np.isnan(own)] for own in values.values()]
    largest = max((float(own.max()) for own in known if own.size), default=0.0) or 1.0
    width = largest * (1.48 + 0.075 * max(map(len, beside.values()), default=0))
    for place, (name, own) in enumerate(zip(values, known, strict=True)):
        right, words = 0.0, "–"
        if own.size:
            right, words = _bar(axes, place, own, styles[name].colour, text)
        words = f"{words} {beside[name]}" if name in beside else words
        axes.text(right + 0.03 * width, place, words, va="center", fontsize=8)
    axes.set_xlim(0, width)
    axes.set_yticks(range(len(values)), list(values))
    axes.set_ylim(len(values) - 0.45, -0.55)
    axes.set_title(title)
    if lower_is_better:
        axes.set_xlabel("lower is better", fontsize=7.5, color=FAINT)
    axes.spines["bottom"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    grid_lines(axes, "x")


def _bar(
    axes: Axes, place: int, values: np.ndarray, colour: str, text: Callable[[float], str]
) -> tuple[float, str]:
    """Draw a bar and return where it ends, and what stands there."""
    mean = float(values.mean())
    axes.barh(place, mean, height=0.66, color=colour, alpha=0.85)
    if len(values) < 2:
        return mean, text(mean)
    sd = float(values.std(ddof=1))
    axes.errorbar(mean, place, xerr=sd, color=INK, linewidth=1.1, capsize=2.5)
    offsets = np.linspace(-0.2, 0.2, len(values))
    axes.scatter(
        values, place + offsets, s=7, color="white", edgecolor=INK, linewidth=0.6, zorder=3
    )
    return max(mean + sd, float(values.max())), f"{text(mean)} ± {text(sd)}"
