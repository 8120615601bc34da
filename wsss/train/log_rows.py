"""Rows of a training's log: means over a few steps each."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class LogRows:
    """The finished rows, and the sums of the one that is not finished.

    A running checkpoint holds both, so that a resumed training writes the rows that an
    uninterrupted one writes.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, values: Mapping[str, float]) -> None:
        """Take in the named losses of a step."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def finish(self, **place: float) -> dict[str, float]:
        """Close a row at a `place` (step, epoch, learning rate) and return it."""
        row = place | {name: total / self.count for name, total in self.sums.items()}
        self.rows.append(row)
        self.sums, self.count = {}, 0
        return row
