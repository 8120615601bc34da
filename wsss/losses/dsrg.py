"""Deep seeded region growing: a seed that grows while the segmenter trains, and the boundary loss.

DSRG, Huang et al. 2018; dissertation sec. 2.3.2. The seed itself is learnt with the balanced
seeding loss (eq. 2.3), which is `wsss.losses.segmentation.balanced_cross_entropy`.
"""

import math

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

IGNORE_INDEX = 255
EIGHT_NEIGHBOURS = np.ones((3, 3), int)


def grow_seed(
    probs: np.ndarray,
    seed: np.ndarray,
    image_labels: np.ndarray,
    *,
    foreground_threshold: float,
    background_threshold: float,
) -> np.ndarray:
    """Return the seed grown into the unlabelled pixels around it.

    Among the background and the classes of the image, a pixel belongs to the one of the largest
    probability; it is sure of it above the class's threshold. Unlabelled pixels that are sure of a
    class join its seed if a way of such pixels, each one of the eight neighbours of the last, leads
    there. Labelled pixels keep their label, and a class without a seed gets no pixel.

    This is the growing of the paper, which visits neighbours one by one, done at once. In the
    authors' code the ways of a class also lead over pixels that another class's seed has labelled
    but of which the network is sure, and not over its own labelled pixels of which it is not.

    Args:
        probs: (B, K, h, w), of the background and the K - 1 foreground classes. Values that are not
            numbers grow nothing.
        seed: Integers (B, h, w), 0 to K - 1, or 255 where unlabelled.
        image_labels: Multi-hot (B, K - 1).
        foreground_threshold: Probability in 0..1 that a pixel of a foreground class must exceed.
        background_threshold: Probability in 0..1 that a pixel of the background must exceed.

    Returns:
        The grown seed (B, h, w), of the type of the given one.

    Raises:
        ValueError: Shapes do not fit.
    """
    batch, classes, *size = probs.shape
    if seed.shape != (batch, *size) or image_labels.shape != (batch, classes - 1):
        raise ValueError(
            f"probabilities {probs.shape} do not fit a seed {seed.shape} with image labels "
            f"{image_labels.shape}: give (B, K, h, w), (B, h, w) and (B, K - 1)"
        )
    thresholds = np.full(classes, foreground_threshold)
    thresholds[0] = background_threshold
    competing = [np.flatnonzero(np.concatenate([[1], labels])) for labels in image_labels]
    return np.stack(
        [_grown(*image, thresholds) for image in zip(probs, seed, competing, strict=True)]
    )


def _grown(
    probs: np.ndarray, seed: np.ndarray, competing: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    best = competing[probs[competing].argmax(0)]
    sure = probs[competing].max(0) > thresholds[best]
    reached = np.where((seed == IGNORE_INDEX) & sure, best, seed)
    grown = seed.copy()
    for label in np.intersect1d(seed, competing):
        components, count = ndimage.label(reached == label, structure=EIGHT_NEIGHBOURS)
        touching = np.zeros(count + 1, bool)
        touching[components[seed == label]] = True
        grown[touching[components]] = label
    return grown


def boundary_loss(
    logits: Tensor, crf_probs: Tensor, inside: Tensor, *, ratio_limit: float | None
) -> Tensor:
    """Return the constrain-to-boundary loss: the KL divergence from a CRF's map to the network's.

    Sum over the classes of Q log(Q / H), a mean over pixels. As in SEC and DSRG all pixels and all
    classes count; dissertation eq. 2.4 writes a sum over the seed's foreground. The CRF's map gets
    no gradient; the authors' code passes it on, times one minus the map, as SEC's does.

    Args:
        logits: (B, K, h, w), of the network; H is their softmax.
        crf_probs: Q, (B, K, h, w), sums to one over K.
        inside: Boolean (B, h, w), the pixels that count: those of the image, not of its padding.
        ratio_limit: Q / H counts as no larger than this and no smaller than its inverse, beyond
            which a pixel has no gradient: 20 in the authors' code. None is without limit (paper).
    """
    target = crf_probs.detach()
    log_ratio = target.clamp(min=torch.finfo(target.dtype).tiny).log() - logits.log_softmax(1)
    if ratio_limit is not None:
        bound = math.log(ratio_limit)
        log_ratio = log_ratio.clamp(-bound, bound)
    divergence = (target * log_ratio).sum(1)
    return (divergence * inside).sum() / inside.sum().clamp(min=1)
