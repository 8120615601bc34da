"""FickleNet: many maps of one image from random choices of units (Lee et al. 2019)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wsss.localize._views import EPSILON, Targets, localize_by_scale, views_per_pass
from wsss.models.backbones.backbone import check_precision
from wsss.models.classifier import Classifier
from wsss.models.ficklenet import FickleNetClassifier, contributions

AGGREGATIONS = ("maximum", "mean")
# Weights of a choice held at once (64 MiB in float32). It must depend on nothing but the map's
# size: draws of another length are other draws on some devices.
WEIGHTS_PER_PASS = 2**24


def localize(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    random_seeds: Sequence[int],
    *,
    scales: Sequence[float],
    map_stride: int,
    alignment: str,
    batch_size: int,
    precision: str,
    passes: int,
    aggregation: str,
) -> list[np.ndarray]:
    """Return the aggregated maps of every image's own classes.

    Views are the other localizers'; the paper tells of the image alone. A view's features are
    computed once; each pass draws a choice of units anew and gives a map, see `chosen_maps`. The
    maps of a view are aggregated, then summed over flips and scales and divided per class by
    (maximum + 1e-5). With one scale and aggregation "maximum", a position is above a threshold of
    the paper if it is in any pass. Where several classes are, the paper takes that of the highest
    mean map, and what reads these maps that of the highest value.

    Args:
        model: FickleNet classifier; used in evaluation mode and given back as it came.
        images: uint8 (B, H, W, 3) RGB of one exact size.
        class_ids: Per image the zero-based classes (n,).
        random_seeds: Per image the seed of its draws, which do not depend on its batch.
        scales: Factors on the image's size; each is seen with its mirror image.
        map_stride: Pixels per map cell.
        alignment: "official" or "centres", see `cam.localize`.
        batch_size: Views of scale 1 in one pass through the backbone; a view of scale s counts s^2.
        precision: "full" is the model's own type; "bfloat16" lets convolutions of the backbone run
            in bfloat16.
        passes: Choices per view (N in the paper, 200).
        aggregation: Of a view's maps: "maximum" (paper) or "mean" (ours).

    Returns:
        Per image float32 (n, ceil(H / map_stride), ceil(W / map_stride)) in 0..1.

    Raises:
        ValueError: Images, class ids, seeds, a named option or the classifier do not fit.
    """
    if not isinstance(model, FickleNetClassifier):
        raise ValueError(
            "maps of chosen units need a classifier with windows, trained by FickleNet: train one, "
            "or take the localizer cam"
        )
    if aggregation not in AGGREGATIONS:
        raise ValueError(
            f"unknown aggregation {aggregation!r}: choose one of {', '.join(AGGREGATIONS)}"
        )
    if len(random_seeds) != len(images):
        raise ValueError(f"{len(images)} images came with the seeds of {len(random_seeds)} images")
    check_precision(precision)
    fickle: FickleNetClassifier = model
    device = fickle.head.weight.device
    generators = [torch.Generator(device).manual_seed(seed) for seed in random_seeds]

    def maps_of(pairs: Tensor, targets: Targets, scale: float) -> Tensor:
        chunks = pairs.flatten(0, 1).split(views_per_pass(batch_size, scale))
        with torch.no_grad():
            features = torch.cat([_features(fickle, chunk, precision) for chunk in chunks])
            return torch.cat(
                [
                    torch.stack(
                        [
                            chosen_maps(
                                fickle,
                                view,
                                classes,
                                passes=passes,
                                aggregation=aggregation,
                                generator=generator,
                            )
                            for view in pair
                        ],
                        dim=1,
                    )
                    for pair, classes, generator in zip(
                        features.unflatten(0, (-1, 2)),
                        targets.class_index.split(targets.counts),
                        generators,
                        strict=True,
                    )
                ]
            )

    return localize_by_scale(
        model,
        images,
        class_ids,
        maps_of,
        scales=scales,
        map_stride=map_stride,
        alignment=alignment,
    )


def chosen_maps(
    model: FickleNetClassifier,
    features: Tensor,
    class_index: Tensor,
    *,
    passes: int,
    aggregation: str,
    generator: torch.Generator,
) -> Tensor:
    """Return the aggregated maps (n, h, w) in 0..1 of one view's features (D, h, w).

    The map of a pass is ReLU(sum over channels of feature * gradient of the class's score to it),
    divided by (its maximum + 1e-5). Scores are linear in the features, so the sum is that of the
    unit's chosen contributions, and no pass goes back through a convolution. The sigmoid behind
    the score would scale a whole map, which the division takes off again.

    Args:
        model: FickleNet classifier.
        features: Of the last stage.
        class_index: Classes (n,).
        passes: Choices.
        aggregation: One of `AGGREGATIONS`.
        generator: Of the draws.
    """
    _, height, width = features.shape
    found = features.new_zeros(len(class_index), height * width)
    if not len(class_index):
        return found.view(0, height, width)
    own = contributions(model.head.weight[class_index], features.flatten(1)[None])
    by_unit = own[0].permute(1, 2, 0).contiguous()
    at_once = max(1, WEIGHTS_PER_PASS // (height * width * model.kernel_size**2))
    for start in range(0, passes, at_once):
        choice = model.draw_choice(min(at_once, passes - start), features, generator)
        maps = (choice.transpose(0, 1) @ by_unit).relu().permute(1, 2, 0)
        maps = maps / (maps.amax(2, keepdim=True) + EPSILON)
        if aggregation == "maximum":
            found = torch.maximum(found, maps.amax(0))
        else:
            found = found + maps.sum(0) / passes
    return found.view(-1, height, width)


def _features(model: FickleNetClassifier, views: Tensor, precision: str) -> Tensor:
    # As in `wsss.localize._views.score_maps`.
    views = views.contiguous(memory_format=torch.channels_last)
    with torch.autocast(views.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        return model.features(views).to(views.dtype)
