"""RIB: what rests is seen once and normalisations are folded, against whole networks each step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from bench.compare import Comparison, largest_difference
from bench.inputs import photographs, resnet50_classifier, with_torchs_convolutions
from tests.references.rib_plain import rib_maps
from wsss.localize._tuned_maps import square_view
from wsss.localize.rib import localize
from wsss.models.classifier import Classifier

SCALES = (1.0, 0.5, 1.5, 2.0)
# One of the official ten: what ours saves by not moving after the last look is left out.
STEPS = 1
OTHERS = 20
OTHER_SIZE = 512
CLASS_IDS = [3]
# Maps in 0..1 in float32; the two ways add up gradients in another order.
TOLERANCE = 1e-3
# Maps in 0..1 from products with 8 bits.
BFLOAT16_TOLERANCE = 0.05
RECIPE: dict[str, Any] = {
    "scales": SCALES,
    "least_learnt_scale": 1.0,
    "steps": STEPS,
    "learning_rate": 8e-6,
    "head_multiplier": 10.0,
    "momentum": 1e-4,
    "weight_decay": 1e-4,
    "schedule": "poly",
    "loss": "rib",
    "pooling": "gndp",
    "score_threshold": 0.4,
    "margin": 600.0,
    "margin_form": "official",
    "explosion_threshold": 0.3,
    "explosion_share": 1.0,
    "accumulation": "paper",
}


@dataclass
class Photographs:
    """Others in memory, of one class each."""

    images: np.ndarray
    kept: dict[str, Any] = field(default_factory=dict)

    def draw(self, position: int, step: int, count: int, *, disjoint: bool) -> list[int]:
        """Return other photographs in turn."""
        return [(step * count + n) % len(self.images) for n in range(count)]

    def class_ids(self, number: int) -> np.ndarray:
        """Return one class."""
        return np.array([number])

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the photographs."""
        for number in numbers:
            yield number, self.images[number]


def comparisons() -> list[Comparison]:
    """Return the fine-tuning on one image, in float32 and with convolutions in bfloat16."""
    full = Comparison(
        name="RIB, 1 image",
        inputs=f"one of RIB's ten steps and a last look, of a ResNet-50 at 375 x 500, scales "
        f"{SCALES}, {OTHERS} others at {OTHER_SIZE}, none of them kept from before; plain: a "
        "network of the image's own, all from the pixels and at once in every step. "
        "Difference: of the maps in float32",
        prepare=_inputs,
        ours=_ours,
        plain=_plain,
        difference=largest_difference,
        tolerance=TOLERANCE,
        goal=1.5,
        plain_repeats=1,
    )
    lower = replace(
        full,
        name=f"{full.name}, bfloat16",
        ours=partial(_ours, precision="bfloat16"),
        tolerance=BFLOAT16_TOLERANCE,
        goal=2.5,
    )
    return [full, lower]


def _inputs() -> tuple[Classifier, np.ndarray]:
    return resnet50_classifier(), photographs(1 + OTHERS)


def _ours(inputs: tuple[Classifier, np.ndarray], *, precision: str = "full") -> list[np.ndarray]:
    classifier, images = inputs
    return localize(
        classifier,
        images[:1],
        [np.array(CLASS_IDS)],
        Photographs(images[1:]),
        map_stride=4,
        alignment="official",
        batch_size=4,
        precision=precision,
        other_images=OTHERS,
        other_choice="disjoint",
        other_size=OTHER_SIZE,
        other_memory=1000.0,
        **RECIPE,
    )


def _plain(inputs: tuple[Classifier, np.ndarray]) -> list[np.ndarray]:
    classifier, images = inputs
    others = Photographs(images[1:])
    given = []
    for step in range(STEPS):
        numbers = others.draw(0, step, OTHERS, disjoint=True)
        views = np.stack([square_view(image, OTHER_SIZE) for _, image in others.read(numbers)])
        given.append((views, np.eye(classifier.head.out_channels)[numbers]))
    plain = with_torchs_convolutions(classifier)
    return [rib_maps(plain, images[0], CLASS_IDS, given, **RECIPE)]
