"""Panels side by side, in lines."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure


def lines_and_columns(count: int, *, per_line: int) -> tuple[int, int]:
    """Return in how many lines and columns some panels stand, at most `per_line` in a line."""
    columns = min(count, per_line)
    return -(-count // columns), columns


def panel_grid(figure: Figure, count: int, *, per_line: int, **shared: Any) -> np.ndarray:
    """Return the axes (lines, columns) of `lines_and_columns`; those beyond `count` are hidden.

    Args:
        figure: Gets the panels.
        count: How many are shown.
        per_line: The most in a line.
        shared: Axes that panels share, `sharex` and `sharey` of matplotlib.
    """
    lines, columns = lines_and_columns(count, per_line=per_line)
    grid: np.ndarray = figure.subplots(lines, columns, squeeze=False, **shared)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return grid
