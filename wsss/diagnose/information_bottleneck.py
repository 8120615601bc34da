"""Which regions of an image a toy classifier's layers still see, and how RIB changes that.

Lee et al. 2021 (RIB), dissertation 3.4.2 and 3.4.3, Figs. 3.11 and 3.12.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wsss.diagnose._toy_digits import BACKGROUND, DIGIT, MARK, toy_images
from wsss.diagnose._toy_network import layer_gradients, rib_states, train_toy

REGIONS = {"digit": DIGIT, "mark": MARK, "background": BACKGROUND}
# One image of each digit.
EXAMPLES = 2
SHOWN_ITERATIONS = 4
SCALES = ("largest", "raw")
NAN = float("nan")
NOTHING = {"region": "", **dict.fromkeys(("layer", "iteration", "example", "row", "column"), NAN)}


def measure(
    random_seed: int,
    *,
    train_images: int,
    marked_fraction: float,
    epochs: int,
    num_images: int,
    gradient_threshold: float,
    gradient_scale: str,
    iterations: int,
    learning_rate: float,
    other_images: int,
    pooling: str,
    score_threshold: float,
    margin: float,
) -> Iterator[dict[str, Any]]:
    """Yield high gradient ratios of regions by layer and by RIB iteration, and examples of maps.

    Images hold a digit (the discriminative region), and few of those trained on a mark, which goes
    with the digit as well (non-discriminative, but relevant to the class); see `_toy_digits`. All
    images that are measured have a mark, and none of their digits was trained on.

    Args:
        random_seed: Of data, training and draws.
        train_images: How many are trained on.
        marked_fraction: Share of these with a mark.
        epochs: Passes over them.
        num_images: How many are measured.
        gradient_threshold: See `high_gradient_ratio`, as for the following.
        gradient_scale: `largest` or `raw`.
        iterations: K, steps of RIB for each measured image.
        learning_rate: See `rib_states`, as for the following.
        other_images: B - 1, images beside it in each step.
        pooling: `gap`, `gndrp` or `gndp`.
        score_threshold: tau of the pooling.
        margin: m.

    Yields:
        quantity: "ratio" (mean over the images), "gradient" (of a pixel of an example, signed, as a
            share of its map's largest size), "pixel" (of an example) or "accuracy" (of the measured
            images, before RIB).
        layer: 1 to 5 after a convolution, 6 the logit.
        iteration: Steps of RIB that went before.
        region: "digit", "mark" or "background", of a ratio.
        example, row, column: Of a gradient or pixel.
        value: The number.
    """
    trained = toy_images(
        train_images, marked_fraction=marked_fraction, trained=True, random_seed=random_seed
    )
    seen = toy_images(num_images, marked_fraction=1, trained=False, random_seed=random_seed)
    high = {"threshold": gradient_threshold, "scale": gradient_scale}
    network = train_toy(trained, epochs=epochs, random_seed=random_seed)
    right = network(seen.pixels).mean((2, 3)).argmax(1) == seen.labels.argmax(1)
    yield {"quantity": "accuracy", **NOTHING, "value": float(right.float().mean())}
    for example, image in enumerate(seen.pixels[:EXAMPLES, 0].numpy()):
        yield from _cells("pixel", image, example=example)
    for layer, maps in enumerate(layer_gradients(network, seen.pixels, seen.labels), start=1):
        yield from _ratios(maps.numpy(), seen.regions, high, layer=layer, iteration=0)
        for example, shares in enumerate(_shares(maps[:EXAMPLES].numpy())):
            yield from _cells("gradient", shares, example=example, layer=layer, iteration=0)
    last = np.empty((iterations + 1, *seen.regions.shape), np.float32)
    for place in range(len(seen.pixels)):
        one = slice(place, place + 1)
        tuned = copy.deepcopy(network)
        for step in rib_states(
            tuned, seen.pixels[one], seen.labels[one], trained, iterations=iterations,
            learning_rate=learning_rate, other_images=other_images, pooling=pooling,
            score_threshold=score_threshold, margin=margin, random_seed=random_seed + place,
        ):  # fmt: skip
            last[step, place] = layer_gradients(tuned, seen.pixels[one], seen.labels[one])[-1][0]
    for step in range(1, iterations + 1):
        yield from _ratios(last[step], seen.regions, high, layer=6, iteration=step)
    for step in sorted(set(np.linspace(0, iterations, SHOWN_ITERATIONS).round().astype(int)) - {0}):
        for example, shares in enumerate(_shares(last[step, :EXAMPLES])):
            yield from _cells("gradient", shares, example=example, layer=6, iteration=int(step))


def high_gradient_ratio(
    gradients: np.ndarray, regions: np.ndarray, *, region: int, threshold: float, scale: str
) -> float:
    """Return the share of a region's pixels whose gradient is high, the mean over images.

    The dissertation calls a gradient high above 0.3, and names no scale (3.4.2). Gradients of a sum
    grow with the number of its terms and with the weights, so that as they are, those of two
    layers, or of two steps of RIB, say more of these than of the region.

    Args:
        gradients: Of the images' pixels (N, S, S), signed.
        regions: Number of the region of each pixel, (N, S, S).
        region: Which one.
        threshold: Above which the size of a gradient is high.
        scale: "largest" takes sizes as shares of the largest one in the image, "raw" as they are.

    Returns:
        Of those images that have the region; NaN if there is none. A map of zeros has no high one.

    Raises:
        ValueError: The scale is unknown.
    """
    if scale not in SCALES:
        raise ValueError(f"unknown gradient_scale {scale!r}: choose one of {', '.join(SCALES)}")
    high = np.abs(_shares(gradients) if scale == "largest" else gradients) > threshold
    ratios = [
        h[r == region].mean() for h, r in zip(high, regions, strict=True) if (r == region).any()
    ]
    return float(np.mean(ratios)) if ratios else float("nan")


def _shares(gradients: np.ndarray) -> np.ndarray:
    largest = np.abs(gradients).max((1, 2), keepdims=True)
    return gradients / np.where(largest > 0, largest, 1)


def _ratios(
    gradients: np.ndarray, regions: np.ndarray, how: Mapping[str, Any], **place: float
) -> Iterator[dict[str, Any]]:
    for name, region in REGIONS.items():
        value = high_gradient_ratio(gradients, regions, region=region, **how)
        yield {"quantity": "ratio", **NOTHING, **place, "region": name, "value": value}


def _cells(quantity: str, values: np.ndarray, **place: float) -> Iterator[dict[str, Any]]:
    for (row, column), value in np.ndenumerate(values):
        cell = {"row": row, "column": column, "value": round(float(value), 4)}
        yield {"quantity": quantity, **NOTHING, **place, **cell}
