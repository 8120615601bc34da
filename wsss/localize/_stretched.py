"""Maps of all views stretched straight over the image's grid and summed, before any division."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.localize._views import (
    ALIGNMENTS,
    Targets,
    flatten_targets,
    inference,
    pair_at_centres,
    view_pairs,
)
from wsss.models.classifier import Classifier


def localize_stretched(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    maps_of: Callable[[Tensor, Targets, float], Tensor],
    normalized: Callable[[Tensor], Tensor],
    *,
    scales: Sequence[float],
    map_stride: int,
    alignment: str,
) -> list[np.ndarray]:
    """Return per image the maps (n, ceil(H / map_stride), ceil(W / map_stride)), float32.

    Unlike `localize_by_scale`, map stride 1 goes straight to the image's size, as in the official
    code of SEAM, EPS and HFPL, and what the sum (N, h, w) of all views becomes is given.

    Args:
        model: classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3).
        class_ids: per image the zero-based classes (n,).
        maps_of: (pairs (B, 2, 3, h, w), targets, scale) to maps (N, 2, h', w') >= 0; with alignment
            "centres" of the features' size.
        normalized: sums (N, h, w) to localization maps.
        scales: factors on the image's size.
        map_stride: pixels per map cell.
        alignment: "official" stretches every map over the image as if its entries covered equal
            shares, "centres" samples it where its features really look.

    Raises:
        ValueError: Images, class ids or alignment do not fit.
    """
    if alignment not in ALIGNMENTS:
        raise ValueError(f"unknown alignment {alignment!r}: choose one of {', '.join(ALIGNMENTS)}")
    targets = flatten_targets(model, images, class_ids)
    height, width = (-(-length // map_stride) for length in images.shape[1:3])
    if not len(targets.class_index):
        return [np.zeros((0, height, width), np.float32) for _ in images]
    total = torch.zeros((), device=targets.class_index.device)
    with inference(model):
        for scale in scales:
            pairs = view_pairs(model, images, scale)
            maps = maps_of(pairs, targets, scale)
            if alignment == "official":
                pair_sum = (maps[:, 0] + maps[:, 1].flip(-1))[:, None]
                total = total + F.interpolate(pair_sum, (height, width), mode="bilinear")[:, 0]
            else:
                total = total + pair_at_centres(
                    maps, pairs.shape[-2:], (height, width), model.backbone
                )
    return [part.float().cpu().numpy() for part in normalized(total).split(targets.counts)]
