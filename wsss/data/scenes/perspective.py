"""A strip of ground, such as a road or a track, that runs to a vanishing point."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Strip:
    """A straight strip on flat ground.

    vanishing: its vanishing point, pixels.
    middle: x of its middle line at the lower edge, pixels.
    bottom: row of the lower edge, pixels.
    half_width: half its width at the lower edge, pixels.
    """

    vanishing: tuple[float, float]
    middle: float
    bottom: float
    half_width: float

    def at(self, near: float, offset: float) -> tuple[float, float]:
        """Return the pixel at nearness 0 (vanishing point) to 1 (lower edge).

        Args:
            near: nearness; sizes on the strip are proportional to it.
            offset: -1 at the left border, 1 at the right one.
        """
        x0, y0 = self.vanishing
        x1 = self.middle + offset * self.half_width
        return x0 + (x1 - x0) * near, y0 + (self.bottom - y0) * near

    def band(
        self, left: float, right: float, *, far: float = 0.012, close: float = 1.15
    ) -> np.ndarray:
        """Return the outline between two offsets and two nearnesses."""
        corners = [(far, left), (far, right), (close, right), (close, left)]
        return np.array([self.at(*corner) for corner in corners], np.float32)

    def dashes(self, left: float, right: float, *, gap: float, length: float) -> list[np.ndarray]:
        """Return equally long and spaced dashes, nearest first.

        A point at distance z has nearness 1 / z, so equal steps in z are drawn shorter far away.

        Args:
            left: offset of their left side.
            right: offset of their right side.
            gap: from dash to dash, in distances of the lower edge.
            length: of a dash, likewise.
        """
        starts = 0.87 + gap * np.arange(40 if gap < 0.5 else 14)
        return [self.band(left, right, far=1 / (z + length), close=1 / z) for z in starts]
