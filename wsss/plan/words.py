"""Costs as a person reads them: numbers with units, tables of aligned columns."""

from collections.abc import Sequence


def hours(value: float) -> str:
    """Return hours with at least two digits that count."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def unit_of(total: float) -> tuple[str, float]:
    """Return the unit in which hours of a sum are told, and its number in an hour."""
    return ("hours", 1.0) if total >= 1 else ("minutes", 60.0)


def duration(seconds: float) -> str:
    """Return a duration in its natural unit: 8 s, 12 min, 3.4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:,.1f} h"


def size(number: float) -> str:
    """Return bytes in their natural unit: 12 kB, 3.4 GB."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}" if number < 1000 * factor else f"{number:.0f}"
    return f"{number:.0f} B"


def count(number: int, one: str) -> str:
    """Return a number with its word: 1 job, 2 jobs."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names in a row, with the number of those left out."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool) -> str:
    """Return a table as text: the first column to the left, the others to the right.

    Args:
        header: Titles of the columns.
        rows: Cells.
        total: Whether a line sets off the last row.
    """
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines.insert(1, rule)
    if total:
        lines.insert(-1, rule)
    return "\n".join(lines)
