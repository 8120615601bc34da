"""EPS: maps of a classifier that knows the background (Lee et al. 2021; eps sec. 3)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wsss.localize._stretched import localize_stretched
from wsss.localize._views import Targets, over_maximum, views_per_pass
from wsss.models.backbones.backbone import check_precision
from wsss.models.classifier import Classifier
from wsss.models.eps import EpsClassifier


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
) -> list[np.ndarray]:
    """Return the probability maps of every image's own classes.

    The softmax over all classes and the background is summed over scales and flips and divided per
    class by (maximum + 1e-5), as in the official code. For maps of raw scores, take another
    localizer: to them an EPS classifier is a plain one.

    Args:
        model: EPS classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        scales: Factors on the image's size; each is seen with its mirror image.
        map_stride: Pixels per map cell.
        alignment: "official" stretches every map over the image's grid, "centres" samples it where
            its features really look.
        batch_size: Views of scale 1 in one pass through the network; a view of scale s counts s^2.
        precision: "full" is the model's own type; "bfloat16" lets convolutions run in bfloat16.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids, a named option or the classifier do not fit.
    """
    if not isinstance(model, EpsClassifier):
        raise ValueError(
            "probability maps need a classifier with a background output, trained by EPS: train "
            "one, or take the localizer cam"
        )
    check_precision(precision)
    eps: EpsClassifier = model

    def maps_of(pairs: Tensor, targets: Targets, scale: float) -> Tensor:
        chunks = pairs.flatten(0, 1).split(views_per_pass(batch_size, scale))
        with torch.no_grad():
            maps = torch.cat([_probability_maps(eps, c, precision) for c in chunks])
        return maps.unflatten(0, (-1, 2))[targets.image_index, :, targets.class_index]

    return localize_stretched(
        model,
        images,
        class_ids,
        maps_of,
        over_maximum,
        scales=scales,
        map_stride=map_stride,
        alignment=alignment,
    )


def _probability_maps(model: EpsClassifier, views: Tensor, precision: str) -> Tensor:
    views = views.contiguous(memory_format=torch.channels_last)
    with torch.autocast(views.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        scores = model.all_score_maps(views)
    return scores.to(views.dtype).softmax(1)
