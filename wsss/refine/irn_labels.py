"""Confident labels that train the boundary network, and labels from its random walk (IRN)."""

from typing import Unpack

import numpy as np

from wsss.refine.crf import Crf, dense_crf_labels
from wsss.refine.resampling import resize_bilinear
from wsss.refine.seed import IGNORE_INDEX, check_inputs, check_order, label_indices, mask_of


def confident_labels(
    image: np.ndarray,
    maps: np.ndarray,
    class_ids: np.ndarray,
    *,
    foreground_threshold: float,
    background_threshold: float,
    certainty: float,
    **crf: Unpack[Crf],
) -> np.ndarray:
    """Return a mask of the pixels that are surely foreground or surely background.

    Two seeds are made, one against each threshold, and both are refined by the CRF. Where the
    strict one (`foreground_threshold`) shows a class, that class counts; where both show
    background, background; elsewhere the pixel is unknown.

    The official codes ship these thresholds (foreground / background), each with the background
    score of the walk that follows:

        IRN .30 / .05, .25; AdvCAM .35 / .15, .25; W-OoD .30 / .15, .22;
        RIB .35 / .17 with .27 on VOC and .22 on COCO

    Args:
        image: RGB (H, W, 3) uint8.
        maps: Localization maps (n, H, W), >= 0, scaled per class by its maximum; n may be 0.
        class_ids: Zero-based foreground classes (n,).
        foreground_threshold: Score above which a pixel is surely foreground (before the CRF).
        background_threshold: Score up to which it is surely background.
        certainty: As in `dense_crf_labels`.
        **crf: See `wsss.refine.crf.Crf`.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1, 255 unknown.

    Raises:
        ValueError: Inputs do not fit together, or the thresholds are in the wrong order.
    """
    check_inputs(image, maps, class_ids)
    check_order(
        foreground_threshold=foreground_threshold, background_threshold=background_threshold
    )
    strict, loose = dense_crf_labels(
        image,
        [
            label_indices(maps, background_threshold=threshold)
            for threshold in (foreground_threshold, background_threshold)
        ],
        num_labels=len(maps) + 1,
        certainty=certainty,
        **crf,
    )
    mask = mask_of(strict, class_ids)
    mask[(strict == 0) & (loose > 0)] = IGNORE_INDEX
    return mask


def labels_from_walk(
    walked: np.ndarray,
    class_ids: np.ndarray,
    *,
    stride: int,
    image_size: tuple[int, int],
    background_threshold: float,
) -> np.ndarray:
    """Return the mask of maps spread by the random walk.

    The maps are enlarged by `stride`, cropped to the image and divided by their maximum over all
    classes; then the background joins as a constant, and the largest wins.

    Args:
        walked: Maps (n, h, w), >= 0; n may be 0.
        class_ids: Zero-based foreground classes (n,).
        stride: Pixels per cell of the maps, 4 in IRN.
        image_size: Height and width of the image, pixels.
        background_threshold: Constant score of the background, as a share of the maximum.

    Returns:
        Mask (H, W) uint8: 0 background, class k written as k + 1.

    Raises:
        ValueError: The enlarged maps do not cover the image.
    """
    height, width = image_size
    rows, columns = walked.shape[1] * stride, walked.shape[2] * stride
    if rows < height or columns < width:
        raise ValueError(
            f"maps of {walked.shape[1:]} cells of {stride} pixels do not cover an image of "
            f"{image_size} pixels: they belong to another image or stride"
        )
    scores = resize_bilinear(walked, rows, columns)[:, :height, :width]
    # Maps that are zero everywhere stay so: all background.
    largest = max(float(scores.max(initial=0.0)), np.finfo(np.float32).tiny)
    indices = label_indices(scores / largest, background_threshold=background_threshold)
    return mask_of(indices, class_ids)
