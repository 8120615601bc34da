"""From the canvas, drawn at twice the size, to the picture and its masks."""

import cv2
import numpy as np

from wsss.data.scenes.canvas import Canvas

IGNORE = 255
SMALLEST_SHARE = 0.008  # of the image's area; smaller objects are ignored, not background


def develop(canvas: Canvas) -> np.ndarray:
    """Return the picture, uint8 (H, W, 3): averaged to its size, tinted, with a camera's noise."""
    rng = canvas.rng
    size = (canvas.width // 2, canvas.height // 2)
    image = cv2.resize(canvas.image, size, interpolation=cv2.INTER_AREA)
    corners = rng.uniform(0.88, 1.1, (2, 2)).astype(np.float32)
    light = cv2.resize(corners, size, interpolation=cv2.INTER_LINEAR)
    image = image * (light * np.float32(rng.uniform(0.9, 1.1)))[..., None] * canvas.light.tint
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.6) * max(1.0, canvas.unit / 384))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image = image + noise * np.float32(rng.uniform(0.004, 0.014))
    return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def border_width(height: int, width: int) -> int:
    """Return the width of the ignored border around objects, pixels: one per 96 of a side."""
    return max(1, round(min(height, width) / 96))


def read_masks(canvas: Canvas, class_values: list[int]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return the mask, the spurious region and the numbers of the objects that count.

    An object counts if at least 0.8 % of the image shows it; the pixels of the others are 255, so
    that no metric calls them background. Along every object runs a border of 255, as in VOC: of
    its width, half (rounded up) lies outside the object.

    Args:
        canvas: the drawn scene.
        class_values: the mask value of each object, in the order of their numbers 1, 2, ...

    Returns:
        uint8 (H, W) mask; bool (H, W) spurious region; ascending object numbers.
    """
    # Every second pixel: a hard label, where the picture shows the average of four.
    instances, spurious = canvas.instances[::2, ::2], canvas.spurious[::2, ::2]
    height, width = instances.shape
    outside = (border_width(height, width) + 1) // 2
    inside = border_width(height, width) - outside
    mask = np.zeros((height, width), np.uint8)
    border = np.zeros((height, width), bool)
    counted = []
    for number, value in enumerate(class_values, start=1):
        region = (instances == number).astype(np.uint8)
        area = int(region.sum())
        if area == 0:
            continue
        if area >= SMALLEST_SHARE * mask.size:
            counted.append(number)
            mask[region > 0] = value
        else:
            mask[region > 0] = IGNORE
        border |= (_grow(region, outside) > region) | (region > _shrink(region, inside))
    mask[border] = IGNORE
    return mask, (spurious > 0) & (instances == 0), counted


def _grow(region: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.dilate(region, np.ones((3, 3), np.uint8), iterations=pixels)


def _shrink(region: np.ndarray, pixels: int) -> np.ndarray:
    if pixels == 0:
        return region
    # Outside the picture counts as object: no border runs along the picture's edge.
    return cv2.erode(region, np.ones((3, 3), np.uint8), iterations=pixels)
