"""The report as one HTML page that needs nothing but itself."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from wsss.report.table import Cell, Grid

TEMPLATE = Path(__file__).with_name("page.html.jinja")
# More rows than this stand in a box that scrolls.
LONG_TABLE = 40
LARGE_PNG = 400_000


@dataclass(frozen=True)
class PageTable:
    """A table of the page: title, caption, protocol, one sentence on its reading, and cells."""

    title: str
    caption: str
    notes: Sequence[str]
    reading: str
    grid: Grid

    @property
    def long(self) -> bool:
        """Whether it has so many rows that it should scroll."""
        return len(self.grid.rows) > LONG_TABLE


@dataclass(frozen=True)
class PageFigure:
    """A picture of the page: title, caption, protocol, text for those who cannot see it, data URL.

    `width` and `height` in pixels keep the page from jumping while it loads.
    """

    title: str
    caption: str
    notes: Sequence[str]
    alt: str
    address: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """A part of the page. `text` is HTML of our own; all else is escaped."""

    anchor: str
    title: str
    text: Markup
    tables: Sequence[PageTable] = ()
    figures: Sequence[PageFigure] = ()
    folded: Mapping[str, str] = field(default_factory=dict)


def render_page(
    *, title: str, introduction: Markup, sections: Sequence[Section], facts: Mapping[str, str]
) -> str:
    """Return the page as HTML text: styles and pictures inside, no script, no address of the net.

    Args:
        title: Title of the page.
        introduction: HTML that stands before the first section.
        sections: Parts of the page, in order; the table of contents follows from them.
        facts: What stands in the strip under the title.

    Raises:
        ValueError: Two sections have the same anchor.
    """
    anchors = [section.anchor for section in sections]
    if len(set(anchors)) != len(anchors):
        raise ValueError(f"two sections of the page share an anchor: {', '.join(anchors)}")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["warns"] = warns
    return environment.get_template(TEMPLATE.name).render(
        title=title, introduction=introduction, sections=sections, facts=facts
    )


def embed(png: bytes) -> tuple[str, int, int]:
    """Return a picture as data URL, its width and its height.

    Sheets of photographs are several MB as PNG; above `LARGE_PNG` they become WebP, which looks the
    same at the size of the page. The PNG file itself is left as it is.
    """
    with Image.open(io.BytesIO(png)) as image:
        width, height = image.size
        kind, data = "png", png
        if len(png) > LARGE_PNG:
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, format="WEBP", quality=86, method=4)
            kind, data = "webp", buffer.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}", width, height


def warns(note: str) -> bool:
    """Return whether a sentence of the protocol admits the use of ground truth."""
    return "GROUND TRUTH" in note or "true labels" in note


def plain_grid(table: pd.DataFrame) -> Grid:
    """Return any table's cells: names without underscores, numbers with three to four digits."""
    header = [str(name).replace("_", " ") for name in table.columns]
    rows = [[Cell(_plain(value)) for value in row] for row in table.itertuples(index=False)]
    return Grid(header, rows)


def _plain(value: Any) -> str:
    if isinstance(value, float | np.floating):
        number = float(value)
        if np.isnan(number):
            return "–"
        whole = abs(number) >= 1000 or number.is_integer()
        return f"{number:,.0f}" if whole else f"{number:.3g}"
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{int(value):,}"
    return str(value)
