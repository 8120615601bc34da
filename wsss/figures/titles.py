"""Titles of columns that stay within their columns."""

from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

LARGEST, SMALLEST = 8.5, 5.0
POINTS_PER_INCH = 72


def fit_titles(titles: Sequence[str], *, width: float) -> tuple[list[str], float]:
    """Return the titles, broken between words where needed, and the size of their letters.

    The size, in points, is the largest up to 8.5 at which every word fits, but at least 5: longer
    words stay whole.

    Args:
        titles: May have line breaks of their own, which stay.
        width: Of a column in inches.
    """
    words = [word for title in titles for word in title.split()]
    widest = max(map(_width, words), default=0.0)
    size = LARGEST if widest <= width else max(SMALLEST, LARGEST * width / widest)
    room = width * LARGEST / size
    return ["\n".join(_broken(line, room) for line in t.split("\n")) for t in titles], size


def _broken(line: str, room: float) -> str:
    """Return a line as lines that are no wider than some inches, at the largest size."""
    lines: list[str] = []
    for word in line.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


@cache
def _width(text: str) -> float:
    """Return the inches of a text at the largest size."""
    font = FontProperties(family="DejaVu Sans", weight="bold")
    return float(TextPath((0, 0), text, LARGEST, prop=font).get_extents().width) / POINTS_PER_INCH
