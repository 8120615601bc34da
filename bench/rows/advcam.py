"""AdvCAM: one pass back to the images, against two full backward passes per step."""

from typing import NamedTuple

import numpy as np

from bench.compare import Comparison, largest_difference
from bench.inputs import photographs, resnet50_classifier
from tests.references.advcam_plain import advcam_maps
from wsss.localize.advcam import localize
from wsss.models.classifier import Classifier

# The official 27 steps take minutes per image on a CPU; time is linear in the steps.
STEPS = 3
# Float32: a rectifier that flips changes a gradient by a finite amount, and steps multiply it.
# In float64 tests/localize/test_advcam.py holds both ways together through all steps.
TOLERANCE = 1e-4
SCALES = (0.5, 1.0, 1.5, 2.0)
CLIMB = {"steps": STEPS, "step_size": 0.08, "regularization_weight": 7.0, "score_threshold": 0.5}


class Inputs(NamedTuple):
    """Images of one size, and the classes of each."""

    classifier: Classifier
    images: np.ndarray
    class_ids: list[np.ndarray]


def comparisons() -> list[Comparison]:
    """Return one and two classes of one photograph, and two photographs in one batch."""
    return [
        _comparison("AdvCAM, 1 class", 1, [[3]]),
        _comparison("AdvCAM, 2 classes", 1, [[3, 7]]),
        _comparison("AdvCAM, 2 photographs", 2, [[3], [7]]),
    ]


def _comparison(name: str, count: int, class_ids: list[list[int]]) -> Comparison:
    def prepare() -> Inputs:
        ids = [np.array(one) for one in class_ids]
        return Inputs(resnet50_classifier(), photographs(count), ids)

    return Comparison(
        name=name,
        inputs=f"ResNet-50, 375 x 500, scales {SCALES}, {STEPS} of 27 steps; plain: per image and "
        "class, two backward passes to all parameters per step",
        prepare=prepare,
        ours=_ours,
        plain=_plain,
        difference=largest_difference,
        tolerance=TOLERANCE,
        goal=2.5,
    )


def _ours(inputs: Inputs) -> list[np.ndarray]:
    return localize(
        *inputs,
        scales=SCALES,
        map_stride=4,
        alignment="official",
        batch_size=8,
        precision="full",
        half_scale_steps="official",
        accumulation="official",
        **CLIMB,
    )


def _plain(inputs: Inputs) -> list[np.ndarray]:
    for parameter in inputs.classifier.parameters():
        parameter.requires_grad_(True)
    return [
        advcam_maps(inputs.classifier, image, list(ids), scales=list(SCALES), **CLIMB)
        for image, ids in zip(inputs.images, inputs.class_ids, strict=True)
    ]
