"""AdvCAM: one pass back to the images, against two full backward passes per step."""

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bench.compare import Comparison, largest_difference
from bench.inputs import device, photographs, resnet50_classifier, with_torchs_convolutions
from tests.references.advcam_plain import advcam_maps
from wsss.localize.advcam import localize
from wsss.models.classifier import Classifier

SCALES = (0.5, 1.0, 1.5, 2.0)
# One step is timed: the official 27 take minutes on a CPU, and each costs the same. In float64
# both ways climb this many steps, at scale 0.5.
CHECKED_STEPS = 5
TOLERANCE = 1e-4
GPU_BATCH = 16
# Maps in 0..1 from products with 8 bits; how little that changes seeds is measured on scenes.
BFLOAT16_TOLERANCE = 0.05
CLIMB = {"step_size": 0.08, "regularization_weight": 7.0, "score_threshold": 0.5}
# Windows of equal pixels tie in the network's max pooling, and rounding alone would decide which
# pixel gets their gradient; no two windows are equal in a photograph with this much noise.
NOISE = 4


class Inputs(NamedTuple):
    """Images of one size, and the classes of each."""

    classifier: Classifier
    images: np.ndarray
    class_ids: list[np.ndarray]


class Timed(NamedTuple):
    """Maps per image after the first step, and the seconds that a step of one map took."""

    maps: list[np.ndarray]
    seconds: float


def comparisons() -> list[Comparison]:
    """Return one and two classes of one photograph, two photographs in one batch; on a GPU more."""
    rows = [
        _comparison("AdvCAM, 1 class", [[3]]),
        _comparison("AdvCAM, 2 classes", [[3, 7]]),
        _comparison("AdvCAM, 2 photographs", [[3], [7]]),
    ]
    if device().type == "cuda":
        many = _comparison(f"AdvCAM, {GPU_BATCH} photographs", [[3]] * GPU_BATCH)
        rows.append(
            replace(
                many,
                name=f"{many.name}, bfloat16",
                ours=partial(_ours, precision="bfloat16", batch_size=2 * GPU_BATCH),
                tolerance=BFLOAT16_TOLERANCE,
                goal=10,
                check=None,
            )
        )
    return rows


def _comparison(name: str, class_ids: list[list[int]]) -> Comparison:
    def prepare() -> Inputs:
        ids = [np.array(one) for one in class_ids]
        return Inputs(resnet50_classifier(), _noisy(photographs(len(ids))), ids)

    return Comparison(
        name=name,
        inputs=f"one step of a ResNet-50 at 375 x 500, scales {SCALES}; plain: per image and "
        "class, two backward passes to all parameters. Difference: of the maps in float32, and in "
        f"float64 after {CHECKED_STEPS} steps",
        prepare=prepare,
        ours=_ours,
        plain=_plain,
        difference=_maps_apart,
        tolerance=TOLERANCE,
        goal=2.5,
        # The plain way of two maps takes twice as long.
        plain_repeats=None if len(class_ids) == len(class_ids[0]) == 1 else 2,
        cost=_seconds,
        unit="s/step and map",
        check=_apart_in_float64,
    )


def _noisy(images: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).integers(-NOISE, NOISE, images.shape, endpoint=True)
    # Clipped before as well: white areas stay noisy.
    inside = images.clip(NOISE, 255 - NOISE).astype(np.int64)
    return (inside + noise).astype(np.uint8)


def _ours(inputs: Inputs, *, precision: str = "full", batch_size: int = 8) -> Timed:
    """Time a step as what two steps take beyond one: the last step has no way back."""
    seconds = []
    for steps in (2, 1):
        started = time.perf_counter()
        maps = _localize(inputs, SCALES, steps, precision=precision, batch_size=batch_size)
        seconds.append(time.perf_counter() - started)
    return Timed(maps, (seconds[0] - seconds[1]) / sum(map(len, inputs.class_ids)))


def _plain(inputs: Inputs) -> Timed:
    started = time.perf_counter()
    maps = _localize_plainly(inputs, SCALES, 1)
    seconds = time.perf_counter() - started
    return Timed(maps, seconds / sum(map(len, inputs.class_ids)))


def _localize(
    inputs: Inputs,
    scales: Sequence[float],
    steps: int,
    *,
    precision: str = "full",
    batch_size: int = 8,
) -> list[np.ndarray]:
    return localize(
        *inputs,
        scales=scales,
        steps=steps,
        map_stride=4,
        alignment="official",
        batch_size=batch_size,
        precision=precision,
        half_scale_steps="official",
        accumulation="official",
        **CLIMB,
    )


def _localize_plainly(inputs: Inputs, scales: Sequence[float], steps: int) -> list[np.ndarray]:
    classifier = with_torchs_convolutions(inputs.classifier).requires_grad_(True)
    climb: dict[str, Any] = {"scales": list(scales), "steps": steps, **CLIMB}
    return [
        advcam_maps(classifier, image, list(ids), **climb)
        for image, ids in zip(inputs.images, inputs.class_ids, strict=True)
    ]


def _maps_apart(ours: Timed, plain: Timed) -> float:
    return largest_difference(ours.maps, plain.maps)


def _seconds(result: Timed) -> float:
    return result.seconds


def _apart_in_float64(inputs: Inputs) -> float:
    exact = inputs._replace(classifier=deepcopy(inputs.classifier).double())
    ours = _localize(exact, SCALES[:1], CHECKED_STEPS)
    return largest_difference(ours, _localize_plainly(exact, SCALES[:1], CHECKED_STEPS))
