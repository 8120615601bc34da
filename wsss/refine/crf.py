"""Fully connected CRF (Krähenbühl and Koltun 2011); refiner `crf`: a seed that it smooths."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

import numpy as np
from pydensecrf.densecrf import DenseCRF2D

from wsss.refine.seed import check_inputs, label_indices, mask_of

# A probability of zero would be an infinite cost.
SMALLEST_PROBABILITY = 1e-5


class Crf(TypedDict):
    """The options of a fully connected CRF.

    Attributes:
        iterations: Mean-field iterations; 0 returns the normalised input.
        gaussian_sxy: Standard deviation of the smoothness kernel, pixels.
        gaussian_compat: Weight of the smoothness kernel.
        bilateral_sxy: Standard deviation of the appearance kernel in position, pixels.
        bilateral_srgb: Its standard deviation in colour, grey levels of 255.
        bilateral_compat: Weight of the appearance kernel.
    """

    iterations: int
    gaussian_sxy: float
    gaussian_compat: float
    bilateral_sxy: float
    bilateral_srgb: float
    bilateral_compat: float


def dense_crf(
    image: np.ndarray,
    probs: np.ndarray,
    **crf: Unpack[Crf],
) -> np.ndarray:
    """Return the label probabilities after mean-field iterations of a fully connected CRF.

    The unary cost is -log(probs). The smoothness kernel sees positions, the appearance kernel
    positions and colours; both have Potts compatibility. The official DeepLab evaluation hands
    over its mean-subtracted image, wrapped round to bytes; here the image itself is meant.

    Args:
        image: RGB (H, W, 3) uint8.
        probs: Probabilities (K, H, W) in 0..1; K may be 1.
        **crf: See `Crf`.

    Returns:
        Float32 probabilities (K, H, W) that sum to one over K.

    Raises:
        ValueError: Image and probabilities differ in size, or probabilities lie outside 0..1.
    """
    (found,) = dense_crfs(image, [probs], **crf)
    return found


def dense_crfs(
    image: np.ndarray,
    several: Sequence[np.ndarray],
    *,
    iterations: int,
    gaussian_sxy: float,
    gaussian_compat: float,
    bilateral_sxy: float,
    bilateral_srgb: float,
    bilateral_compat: float,
) -> list[np.ndarray]:
    """Return `dense_crf` of each of several probabilities of one image.

    The kernels depend on the image only, and building them takes longer than five iterations.

    Args:
        image: RGB (H, W, 3) uint8.
        several: Probabilities (K, H, W) in 0..1 each; they need not sum to one (PSA's scores).
        iterations: As in `Crf`, and so are the following.
        gaussian_sxy: Pixels.
        gaussian_compat: Weight.
        bilateral_sxy: Pixels.
        bilateral_srgb: Grey levels of 255.
        bilateral_compat: Weight.

    Raises:
        ValueError: As `dense_crf`.
    """
    for probs in several:
        _check(image, probs)
    num_labels, height, width = several[0].shape
    if num_labels == 1:
        return [np.ones(probs.shape, np.float32) for probs in several]
    crf = DenseCRF2D(width, height, num_labels)
    crf.addPairwiseGaussian(sxy=gaussian_sxy, compat=gaussian_compat)
    crf.addPairwiseBilateral(
        sxy=bilateral_sxy,
        srgb=bilateral_srgb,
        rgbim=np.array(image, order="C"),
        compat=bilateral_compat,
    )
    found = []
    for probs in several:
        cost = -np.log(np.clip(probs, SMALLEST_PROBABILITY, 1.0)).astype(np.float32)
        crf.setUnaryEnergy(np.ascontiguousarray(cost.reshape(num_labels, -1)))
        found.append(np.array(crf.inference(iterations), np.float32).reshape(probs.shape))
    return found


def _check(image: np.ndarray, probs: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected an RGB uint8 image (H, W, 3), got {image.dtype} {image.shape}")
    if probs.ndim != 3 or len(probs) == 0 or probs.shape[1:] != image.shape[:2]:
        raise ValueError(
            f"probabilities of shape {probs.shape} do not fit an image of {image.shape[:2]} "
            "pixels: give (K, H, W) with K >= 1 at the image's size"
        )
    if not (np.all(probs >= 0) and np.all(probs <= 1 + 1e-4)):
        raise ValueError("probabilities must lie in 0..1 and not be NaN: apply the softmax")


def dense_crf_labels(
    image: np.ndarray,
    several: Sequence[np.ndarray],
    *,
    num_labels: int,
    certainty: float,
    **crf: Unpack[Crf],
) -> list[np.ndarray]:
    """Return the labels that a fully connected CRF prefers to each of several given hard labels.

    All are of one image, whose kernels are built once. Every pixel's own label has probability
    `certainty`, the others share the rest evenly.

    Args:
        image: RGB (H, W, 3) uint8.
        several: Labels (H, W), integers below `num_labels`.
        num_labels: How many labels there are; with one there is nothing to decide.
        certainty: Probability of the given label, above 0 and below 1.
        **crf: See `Crf`.

    Returns:
        Labels (H, W) uint8, one array for each one given.

    Raises:
        ValueError: A label or `certainty` is out of range, or the sizes differ.
    """
    if not 0 < certainty < 1:
        raise ValueError(f"certainty is {certainty}, but must lie between 0 and 1")
    rest = (1 - certainty) / max(num_labels - 1, 1)
    probs = []
    for labels in several:
        if labels.size and (labels.min() < 0 or labels.max() >= num_labels):
            raise ValueError(
                f"labels run from {labels.min()} to {labels.max()}, but {num_labels} were "
                "announced: give indices below num_labels, without 255"
            )
        given = labels[None] == np.arange(num_labels)[:, None, None]
        probs.append(np.where(given, certainty, rest))
    found = dense_crfs(
        image,
        probs,
        **crf,
    )
    return [np.argmax(one, axis=0).astype(np.uint8) for one in found]


def refine(
    image: np.ndarray,
    maps: np.ndarray,
    class_ids: np.ndarray,
    *,
    background_threshold: float,
    certainty: float,
    **crf: Unpack[Crf],
) -> np.ndarray:
    """Return the pseudo-mask of a seed refined by the CRF on hard labels.

    This is how the AdvCAM and RIB papers refine seeds by a CRF (the first lines of the official
    `cam_to_ir_label`).

    Args:
        image: RGB (H, W, 3) uint8.
        maps: Localization maps (n, H, W), >= 0; n may be 0.
        class_ids: Zero-based foreground classes (n,).
        background_threshold: Constant score of the background in the seed.
        certainty: As in `dense_crf_labels`.
        **crf: See `Crf`.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1.

    Raises:
        ValueError: Image, maps and classes do not fit together.
    """
    check_inputs(image, maps, class_ids)
    (labels,) = dense_crf_labels(
        image,
        [label_indices(maps, background_threshold=background_threshold)],
        num_labels=len(maps) + 1,
        certainty=certainty,
        **crf,
    )
    return mask_of(labels, class_ids)
