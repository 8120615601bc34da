"""The dense CRF of many images: two processes, against one."""

from functools import partial
from typing import NamedTuple

import numpy as np

from bench.compare import Comparison, largest_difference
from bench.crf_work import refined
from bench.inputs import HEIGHT, WIDTH, photographs
from wsss.commands.predict import CRF
from wsss.parallel import parallel_map

IMAGES = 24


class Inputs(NamedTuple):
    """Images (H, W, 3) and probabilities (K, H, W)."""

    images: np.ndarray
    probs: list[np.ndarray]


def comparisons() -> list[Comparison]:
    """Return the CRF over photographs."""
    return [
        Comparison(
            name="Dense CRF, 2 processes",
            inputs=f"{IMAGES} photographs, 375 x 500, 21 classes, {CRF['iterations']} iterations; "
            "plain: one process",
            prepare=prepare,
            ours=partial(_refined, workers=2),
            plain=partial(_refined, workers=1),
            difference=largest_difference,
            tolerance=0,
            goal=1.7,
        )
    ]


def prepare() -> Inputs:
    """Return photographs and probabilities that are smooth, as a network's are."""
    generator = np.random.default_rng(0)
    probs = []
    for _ in range(IMAGES):
        coarse = generator.normal(0, 2, (21, 6, 8))
        logits = coarse.repeat(-(-HEIGHT // 6), axis=1).repeat(-(-WIDTH // 8), axis=2)
        shares = np.exp(logits[:, :HEIGHT, :WIDTH])
        probs.append((shares / shares.sum(0)).astype(np.float32))
    return Inputs(photographs(IMAGES), probs)


def _refined(inputs: Inputs, *, workers: int) -> list[np.ndarray]:
    work = partial(refined, **CRF)
    return list(parallel_map(work, zip(*inputs, strict=True), workers=workers))
