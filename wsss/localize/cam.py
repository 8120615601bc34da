"""Class activation maps over scales and flips (Zhou et al. 2016; as in IRN, Ahn et al. 2019)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wsss.localize._views import Targets, localize_by_scale, score_maps, views_per_pass
from wsss.models.classifier import Classifier


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
    """Return the class activation maps of every image's own classes.

    Score maps go through ReLU, are summed over flips and scales and divided per class by
    (maximum + 1e-5); no minimum is taken off.

    Args:
        model: Classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        scales: Factors on the image's size; each is seen with its mirror image.
        map_stride: Pixels per map cell.
        alignment: "official" stretches the sum of a pair's feature maps over the image, as if every
            feature covered an equal share; "centres" samples every view where its features really
            look. With "official", map_stride 1 is the official code's "high_res".
        batch_size: Views of scale 1 in one pass through the network; a view of scale s counts s^2.
        precision: "full" is the model's own type; "bfloat16" lets convolutions run in bfloat16.

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids, alignment or precision do not fit.
    """

    def maps_of(pairs: Tensor, targets: Targets, scale: float) -> Tensor:
        chunks = pairs.flatten(0, 1).split(views_per_pass(batch_size, scale))
        with torch.no_grad():
            scores = torch.cat([score_maps(model, c, precision=precision) for c in chunks])
        scores = scores.relu().unflatten(0, (-1, 2))
        return scores[targets.image_index, :, targets.class_index]

    return localize_by_scale(
        model,
        images,
        class_ids,
        maps_of,
        scales=scales,
        map_stride=map_stride,
        alignment=alignment,
    )
