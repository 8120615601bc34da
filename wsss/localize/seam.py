"""SEAM: maps refined by the similarity of positions (Wang et al. 2020; as in HFPL's code)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wsss.localize._stretched import localize_stretched
from wsss.localize._views import EPSILON, Targets, over_maximum, views_per_pass
from wsss.models.backbones.backbone import check_precision
from wsss.models.classifier import Classifier
from wsss.models.seam import SeamClassifier, resized

NORMALIZATIONS = ("official", "maximum")


def localize(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    *,
    scales: Sequence[float],
    map_stride: int,
    alignment: str,
    batch_size: int,
    precision: str,
    normalization: str,
) -> list[np.ndarray]:
    """Return the refined maps of every image's own classes.

    Refined maps are summed over scales and flips and normalised per class. For maps that are not
    refined, take another localizer: to them a SEAM classifier is a plain one.

    Args:
        model: SEAM classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        scales: Factors on the image's size; each is seen with its mirror image.
        map_stride: Pixels per map cell.
        alignment: "official" stretches a view's map over the view with corners aligned, and that
            over the image's grid; "centres" samples every map where its features really look.
        batch_size: Views of scale 1 in one pass through the network; a view of scale s counts s^2.
        precision: "full" is the model's own type; "bfloat16" lets convolutions of the backbone run
            in bfloat16.
        normalization: "official" takes the minimum off, see `official_maps`; what that leaves below
            zero, which no threshold tells from zero, is zero. "maximum" divides by
            (maximum + 1e-5), as hfpl eq. 4 and the other localizers do.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids, a named option or the classifier do not fit.
    """
    if not isinstance(model, SeamClassifier):
        raise ValueError(
            "refined maps need a classifier with pixel correlation, trained by SEAM: train one, or "
            "take the localizer cam"
        )
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"unknown normalization {normalization!r}: choose one of {', '.join(NORMALIZATIONS)}"
        )
    seam: SeamClassifier = model

    def maps_of(pairs: Tensor, targets: Targets, scale: float) -> Tensor:
        chunks = pairs.flatten(0, 1).split(views_per_pass(batch_size, scale))
        refined = [refined_maps(seam, chunk, precision=precision) for chunk in chunks]
        classes = torch.cat(refined)[:, 1:].unflatten(0, (-1, 2))
        maps = classes[targets.image_index, :, targets.class_index]
        return resized(maps, pairs.shape[-2:]) if alignment == "official" else maps

    def normalized(sums: Tensor) -> Tensor:
        if normalization == "official":
            return official_maps(sums).relu()
        return over_maximum(sums)

    return localize_stretched(
        model,
        images,
        class_ids,
        maps_of,
        normalized,
        scales=scales,
        map_stride=map_stride,
        alignment=alignment,
    )


def refined_maps(model: SeamClassifier, views: Tensor, *, precision: str) -> Tensor:
    """Return the refined maps (B, K, h, w), background first, of normalised views.

    Raises:
        ValueError: The precision is unknown.
    """
    check_precision(precision)
    views = views.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        with torch.autocast(views.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            stages = [stage.to(views.dtype) for stage in model.backbone.stages(views)]
        return model.maps_of_stages(views, stages).refined


def official_maps(sums: Tensor) -> Tensor:
    """Return sums of maps (N, h, w) by the official normalisation, at most 1.

    Sums below (minimum + 1e-5) become zero, and then (the former minimum + 1e-5) is taken off all:
    where the minimum is well above zero, its own entries end far below zero. What is left is
    divided by (maximum - minimum + 1e-5).
    """
    lowest, highest = (extreme(sums, (1, 2), keepdim=True) for extreme in (torch.amin, torch.amax))
    kept = sums.where(sums >= lowest + EPSILON, 0.0)
    return (kept - lowest - EPSILON) / (highest - lowest + EPSILON)
