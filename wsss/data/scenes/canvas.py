"""What a scene is drawn on: a picture, and who owns each of its pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

from wsss.data.scenes.colours import Colour
from wsss.data.scenes.lighting import Light
from wsss.data.scenes.shapes import Points

_SHIFT = 4  # fractional bits of a coordinate handed to OpenCV
_FAR = 8.0  # outlines are cut this many canvas sides away, so that coordinates stay in range


@dataclass(frozen=True)
class Place:
    """Where an object may stand.

    x, y: pixels; the middle of its foot, or of itself in the air.
    scale: size there over the nominal size (perspective).
    view: "side", "front" or "any".
    facing: -1 left, 1 right, 0 any.
    angle: radians by which its front is raised.
    vanishing: the point towards which parallels run, or None.
    surface: "ground", "water", "air" or "perch".
    """

    x: float
    y: float
    scale: float = 1.0
    view: str = "any"
    facing: int = 0
    angle: float = 0.0
    vanishing: tuple[float, float] | None = None
    surface: str = "ground"


class Canvas:
    """A picture in the making.

    Attributes:
        rng: the image's only generator.
        light: the light of the scene.
        image: float32 (height, width, 3), RGB, about 0..1.
        instances: uint8 (height, width); 0, or the number of the object on top.
        spurious: uint8 (height, width); 1 where the background's own cue is on top, else 0.
        unit: the length that objects are measured in, pixels.
    """

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], light: Light) -> None:
        self.rng = rng
        self.light = light
        self.height, self.width = shape
        self.image = np.zeros((*shape, 3), np.float32)
        self.instances = np.zeros(shape, np.uint8)
        self.spurious = np.zeros(shape, np.uint8)
        self.unit = min((self.height * self.width) ** 0.5, 1.25 * min(shape))

    def pen(self, *, instance: int = 0, spurious: bool = False) -> "Pen":
        """Return a pen whose strokes belong to an object, to the spurious cue, or to neither."""
        return Pen(self, instance, int(spurious))

    def own(self, region: np.ndarray, *, spurious: bool) -> None:
        """Give the pixels of a boolean region (height, width) to the background."""
        self.instances[region] = 0
        self.spurious[region] = int(spurious)


class Pen:
    """Draw outlines; what is on top owns the pixel, so an occluder hides an object's label."""

    def __init__(self, canvas: Canvas, instance: int, spurious: int) -> None:
        self.canvas = canvas
        self.instance = instance
        self.spurious = spurious

    def fill(
        self,
        *outlines: Points,
        colour: Colour,
        down: float = 0.0,
        across: float = 0.0,
        grain: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """Fill outlines (pixels) with one colour.

        Edges of the picture are smooth, those of the labels hard (half covered or more).

        Args:
            *outlines: each (n, 2), x and y in pixels.
            colour: RGB, 0..1.
            down: how much brighter the upper edge is than the lower one.
            across: how much brighter the side towards the sun is than the other.
            grain: deviation of a fine noise.
            opacity: below 1 the labels stay as they are.
        """
        rows, columns, mask = self._raster(outlines)
        if mask.size == 0:
            return
        paint = self._shaded(np.asarray(colour, np.float32), mask.shape, down, across, grain)
        region = self.canvas.image[rows, columns]
        region += (mask * np.float32(opacity / 255))[..., None] * (paint - region)
        if opacity == 1:
            solid = mask >= 128
            self.canvas.instances[rows, columns][solid] = self.instance
            self.canvas.spurious[rows, columns][solid] = self.spurious

    def _shaded(
        self, colour: np.ndarray, shape: tuple[int, ...], down: float, across: float, grain: float
    ) -> np.ndarray:
        """Return the colour as it is lit over a region, float32, (3,) or (h, w, 3)."""
        if not (down or across or grain):
            return colour
        light = np.ones(shape, np.float32)
        if down:
            light += np.float32(down) * (0.5 - _unit_steps(shape[0]))[:, None]
        if across:
            side = np.float32(self.canvas.light.sun_side * across)
            light += side * (_unit_steps(shape[1]) - 0.5)[None]
        if grain:
            noise = self.canvas.rng.standard_normal(shape, dtype=np.float32)
            light += np.float32(2 * grain) * noise
        return light[..., None] * colour

    def shadow(self, *outlines: Points, strength: float = 1.0, softness: float = 0.0) -> None:
        """Darken the picture within outlines; labels stay. Softness is in pixels."""
        rows, columns, mask = self._raster(outlines, margin=int(2 * softness))
        if mask.size == 0:
            return
        if softness > 0.3:
            mask = cv2.GaussianBlur(mask, (0, 0), softness)
        dark = np.float32(strength * self.canvas.light.shadow / 255)
        self.canvas.image[rows, columns] *= 1 - (mask * dark)[..., None]

    def _raster(
        self, outlines: tuple[Points, ...], *, margin: int = 0
    ) -> tuple[slice, slice, np.ndarray]:
        """Return the rows and columns that outlines touch, and their coverage there, 0..255."""
        points = np.concatenate([np.asarray(outline, np.float32) for outline in outlines])
        limit = _FAR * max(self.canvas.height, self.canvas.width)
        np.clip(points, -limit, limit, out=points)
        x, y, width, height = cv2.boundingRect(points)
        left, top = max(0, x - 1 - margin), max(0, y - 1 - margin)
        right = min(self.canvas.width, x + width + 2 + margin)
        bottom = min(self.canvas.height, y + height + 2 + margin)
        if left >= right or top >= bottom:
            return slice(0), slice(0), np.zeros((0, 0), np.uint8)
        mask = np.zeros((bottom - top, right - left), np.uint8)
        fixed = np.rint((points - np.array([left, top], np.float32)) * (1 << _SHIFT)).astype(
            np.int32
        )
        start = 0
        for outline in outlines:
            end = start + len(outline)
            cv2.fillPoly(mask, [fixed[start:end]], 255, cv2.LINE_AA, shift=_SHIFT)
            start = end
        return slice(top, bottom), slice(left, right), mask


def _unit_steps(count: int) -> np.ndarray:
    """Return equal steps from 0 to 1, float32."""
    return np.arange(count, dtype=np.float32) / max(1, count - 1)
