"""One look for all figures: colours per arm, type sizes, and files with stable bytes.

Colours are those of Okabe and Ito (2008), told apart with any common colour vision; each arm also
has its own marker and dash, so that no figure depends on colour alone.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from wsss.store.atomic import atomic_path

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6A6A6A", "#8A6D00")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")
DASHES = ("-", (0, (5, 1.5)), (0, (2, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
INK = "#222222"
FAINT = "#8c8c8c"
GRID = "#e3e3e3"
DPI = 200
# Of 7.5 points; a line of capitals fits as well.
FOOTNOTE_LETTERS_PER_INCH = 14
SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.edgecolor": "#9a9a9a",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#6a6a6a",
    "ytick.color": "#6a6a6a",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "pdf.fonttype": 42,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class ArmStyle:
    """How one arm of an experiment looks in every figure."""

    colour: str
    marker: str
    dash: str | tuple[float, tuple[float, ...]]

    @property
    def ink(self) -> str:
        """The colour, darkened enough to be read as text on white."""
        red, green, blue = to_rgb(self.colour)
        return to_hex((red * 0.78, green * 0.78, blue * 0.78))


def arm_styles(labels: Sequence[str]) -> dict[str, ArmStyle]:
    """Return a style for each label.

    Give the labels of the whole config, in its order, to every figure: then an arm looks the same
    wherever it appears. After eight labels colours come again with another dash and marker.
    """
    unique = list(dict.fromkeys(labels))
    return {
        label: ArmStyle(
            COLOURS[place % len(COLOURS)],
            MARKERS[(place + place // len(COLOURS)) % len(MARKERS)],
            DASHES[(place % len(DASHES) + place // len(COLOURS)) % len(DASHES)],
        )
        for place, label in enumerate(unique)
    }


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the figures' settings inside the block and restore matplotlib's after it."""
    with matplotlib.rc_context(SETTINGS):  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, outside of pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def grid_lines(axes: Axes, axis: str) -> None:
    """Draw faint lines behind the data along one axis (`x` or `y`) and drop its tick marks."""
    axes.grid(axis=axis, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    axes.tick_params(length=0)


def footnote(figure: Figure, text: str) -> None:
    """Write a faint explanation at the foot of a figure, in as many lines as it needs."""
    # A number stays with its sign and its unit.
    text = re.sub(r"± \d+ |\d (?=%)", lambda found: found[0].replace(" ", "\xa0"), text)
    text = textwrap.fill(text, int(figure.get_figwidth() * FOOTNOTE_LETTERS_PER_INCH))
    figure.supxlabel(text, fontsize=7.5, color="#6a6a6a", x=0.005, ha="left")


def legend_above(figure: Figure, handles: Sequence[Artist]) -> None:
    """Write a legend above a figure, in as many columns as fit in its width, 4 at most."""
    width = figure.bbox.width
    for columns in range(min(4, len(handles)), 0, -1):
        legend = figure.legend(handles=handles, loc="outside upper left", ncols=columns)
        if legend.get_window_extent().width <= width or columns == 1:
            return
        legend.remove()


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Return positions moved apart so that neighbours are at least `gap` from each other.

    Groups that would overlap are centred on their own mean; the order is kept.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _bottom(groups[-1], positions, gap) < (
            _bottom(groups[-2], positions, gap) + gap * len(groups[-2])
        ):
            last = groups.pop()
            groups[-1].extend(last)
    result = [0.0] * len(positions)
    for group in groups:
        start = _bottom(group, positions, gap)
        for place, index in enumerate(group):
            result[index] = start + gap * place
    return result


def _bottom(group: Sequence[int], positions: Sequence[float], gap: float) -> float:
    mean = sum(positions[index] for index in group) / len(group)
    return mean - gap * (len(group) - 1) / 2


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PDF or PNG; the same figure gives the same bytes.

    PDFs embed their fonts and carry no date; PNGs carry no software name.

    Raises:
        ValueError: The suffix is neither .pdf nor .png.
    """
    suffix = Path(path).suffix
    if suffix not in (".pdf", ".png"):
        raise ValueError(f"cannot write a figure to {path}: the suffix must be .pdf or .png")
    with atomic_path(Path(path)) as temporary:
        # Not to the file itself: matplotlib hides the error of a disk that is full.
        temporary.write_bytes(picture_bytes(figure, suffix[1:]))


def picture_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as the content of a file of a kind, "pdf" or "png"; see `save_figure`."""
    metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
    content = BytesIO()
    with house_style():
        figure.savefig(content, format=kind, dpi=DPI, metadata=metadata)
    return content.getvalue()
