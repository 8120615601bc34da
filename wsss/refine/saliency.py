"""Refiner `saliency`: pseudo-masks of another refiner, checked against salient objects.

RIB's pseudo-masks with saliency (dissertation 3.4.3, Table 3.7): a foreground pixel that the
saliency map calls background, and a background pixel that it calls foreground, is ignored in the
training of the segmentation network. That is the default here. The dissertation takes its maps from
Li et al. (AAAI 2021) and Yao et al. (CVPR 2021); it does not say at which value they are cut, and
RIB's published code has no such step: the threshold of one half, as EPS rounds its saliency, and
the other ways to settle a disagreement are ours.
"""

import numpy as np

IGNORE_INDEX = 255


def refine(
    mask: np.ndarray,
    saliency: np.ndarray,
    class_ids: np.ndarray,
    *,
    saliency_threshold: float,
    foreground_not_salient: str,
    background_salient: str,
) -> np.ndarray:
    """Return a pseudo-mask whose disagreements with a saliency map are settled.

    Args:
        mask: Pseudo-mask (H, W) uint8, 0 background, class k as k + 1, 255 ignored, which stays.
        saliency: Saliency map (H, W) uint8, 255 salient.
        class_ids: Zero-based foreground classes (n,) of the image.
        saliency_threshold: Share of 255 above which a pixel is salient.
        foreground_not_salient: What becomes of foreground that is not salient: "ignore"
            (dissertation), "background" or "keep".
        background_salient: What becomes of background that is salient: "ignore" (dissertation),
            "only_class", the image's class if it has exactly one and else ignored, or "keep".

    Returns:
        Mask (H, W) uint8.

    Raises:
        ValueError: Mask and saliency map differ in size, or a choice is unknown.
    """
    if mask.shape != saliency.shape:
        raise ValueError(
            f"the pseudo-mask is {mask.shape}, but its saliency map {saliency.shape}; make both "
            "again"
        )
    only = int(class_ids[0]) + 1 if len(class_ids) == 1 else IGNORE_INDEX
    of_foreground = {"ignore": IGNORE_INDEX, "background": 0, "keep": None}
    of_background = {"ignore": IGNORE_INDEX, "only_class": only, "keep": None}
    salient = saliency > 255 * saliency_threshold
    foreground = (mask > 0) & (mask != IGNORE_INDEX)
    refined = mask.copy()
    for where, becomes in (
        (foreground & ~salient, _chosen(of_foreground, foreground_not_salient)),
        ((mask == 0) & salient, _chosen(of_background, background_salient)),
    ):
        if becomes is not None:
            refined[where] = becomes
    return refined


def _chosen(ways: dict[str, int | None], way: str) -> int | None:
    if way not in ways:
        raise ValueError(f"{way!r} is no way to settle a disagreement: take {', '.join(ways)}")
    return ways[way]
