"""Views of images (scales, both flips) and the joining of their maps on one grid of the image."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from wsss.models.backbones.backbone import Backbone, check_precision
from wsss.models.classifier import Classifier

ALIGNMENTS = ("official", "centres")
EPSILON = 1e-5


class Targets(NamedTuple):
    """The N (image, class) pairs of a batch, in the order of the images."""

    image_index: Tensor
    class_index: Tensor
    counts: list[int]


class ScaleMaps(NamedTuple):
    """Maps (N, 2, h, w) of one scale, the second of a pair mirrored, and the size of the view."""

    maps: Tensor
    view_size: tuple[int, int]


def flatten_targets(
    model: Classifier, images: np.ndarray, class_ids: Sequence[np.ndarray]
) -> Targets:
    """Return the (image, class) pairs of a batch, on the model's device.

    Raises:
        ValueError: Images are not uint8 (B, H, W, 3), or the class ids do not fit images or model.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(
            f"images must be uint8 (B, H, W, 3) of one size, got {images.dtype} {images.shape}"
        )
    if len(class_ids) != len(images):
        raise ValueError(f"{len(images)} images came with class ids of {len(class_ids)} images")
    num_classes = model.head.out_channels
    for number, ids in enumerate(class_ids):
        if len(ids) and (min(ids) < 0 or max(ids) >= num_classes):
            raise ValueError(
                f"image {number} of the batch has class ids {list(ids)}, but the classifier knows "
                f"0..{num_classes - 1}: train it on this data set"
            )
    counts = [len(ids) for ids in class_ids]
    device = model.head.weight.device
    image_index = torch.repeat_interleave(torch.arange(len(images)), torch.tensor(counts))
    class_index = torch.as_tensor(np.concatenate([np.asarray(i, np.int64) for i in class_ids]))
    return Targets(image_index.to(device), class_index.to(device), counts)


def view_pairs(model: Classifier, images: np.ndarray, scale: float) -> Tensor:
    """Return normalised pairs (B, 2, 3, h, w) of every image, scaled, and its mirror image.

    Scaled by Pillow's bicubic from uint8 to (round(H * scale), round(W * scale)), halves to even,
    before the normalisation, as the official code does.
    """
    if scale != 1:
        height, width = (max(1, round(length * scale)) for length in images.shape[1:3])
        size = (width, height)
        images = np.stack(
            [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BICUBIC)) for i in images]
        )
    batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    normalized = model.normalize(batch.to(model.head.weight.device))
    return torch.stack([normalized, normalized.flip(-1)], dim=1)


def views_per_pass(batch_size: int, scale: float) -> int:
    """Return how many views of a scale go through the network at once: scale s counts s^2."""
    return max(1, int(batch_size / scale**2))


def score_maps(model: Classifier, views: Tensor, *, precision: str) -> Tensor:
    """Return the raw score maps (B, C, h, w) of normalised views in the model's own type.

    Raises:
        ValueError: The precision is unknown.
    """
    check_precision(precision)
    # About a tenth less time on a CPU, and the layout that bfloat16 on a GPU wants.
    views = views.contiguous(memory_format=torch.channels_last)
    with torch.autocast(views.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        return model.score_maps(views).to(model.head.weight.dtype)


@contextlib.contextmanager
def inference(model: Classifier) -> Iterator[None]:
    """Hold the model in evaluation mode, its parameters without gradient, and restore both."""
    training = model.training
    learning = [p for p in model.parameters() if p.requires_grad]
    model.eval()
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        model.train(training)
        for parameter in learning:
            parameter.requires_grad_(True)


def localize_by_scale(
    model: Classifier,
    images: np.ndarray,
    class_ids: Sequence[np.ndarray],
    maps_of: Callable[[Tensor, Targets, float], Tensor],
    *,
    scales: Sequence[float],
    map_stride: int,
    alignment: str,
) -> list[np.ndarray]:
    """Return per image the joined maps (n, ceil(H / map_stride), ceil(W / map_stride)), float32.

    `maps_of(pairs (B, 2, 3, h, w), targets, scale)` gives a scale's maps (N, 2, h, w) >= 0.

    Raises:
        ValueError: Images, class ids or alignment do not fit.
    """
    targets = flatten_targets(model, images, class_ids)
    height, width = images.shape[1:3]
    if not len(targets.class_index):
        empty = (0, -(-height // map_stride), -(-width // map_stride))
        return [np.zeros(empty, np.float32) for _ in images]
    scale_maps = []
    with inference(model):
        for scale in scales:
            pairs = view_pairs(model, images, scale)
            view_size = (pairs.shape[-2], pairs.shape[-1])
            scale_maps.append(ScaleMaps(maps_of(pairs, targets, scale), view_size))
    joined = joined_maps(
        scale_maps,
        image_size=(height, width),
        map_stride=map_stride,
        alignment=alignment,
        backbone=model.backbone,
    )
    return [part.float().cpu().numpy() for part in joined.split(targets.counts)]


def joined_maps(
    scale_maps: Sequence[ScaleMaps],
    *,
    image_size: tuple[int, int],
    map_stride: int,
    alignment: str,
    backbone: Backbone,
) -> Tensor:
    """Return the sum of all scales and flips on the image's grid, divided by (maximum + 1e-5).

    Raises:
        ValueError: The alignment is unknown.
    """
    if alignment not in ALIGNMENTS:
        raise ValueError(f"unknown alignment {alignment!r}: choose one of {', '.join(ALIGNMENTS)}")
    if alignment == "official":
        joined = _join_official(scale_maps, image_size, map_stride)
    else:
        joined = _join_at_centres(scale_maps, image_size, map_stride, backbone)
    return over_maximum(joined)


def over_maximum(sums: Tensor) -> Tensor:
    """Return sums of maps (N, h, w), each divided by its (maximum + 1e-5)."""
    return sums / (sums.amax((1, 2), keepdim=True) + EPSILON)


def _join_official(
    scale_maps: Sequence[ScaleMaps], image_size: tuple[int, int], map_stride: int
) -> Tensor:
    """Return the sum over scales of the pair sums, each stretched over the image.

    Map stride 1 is the official "high_res": stretched to the next multiples of 16, then cropped.
    """
    height, width = (-(-length // map_stride) for length in image_size)
    size = (height, width)
    if map_stride == 1:
        size = (-(-height // 16) * 16, -(-width // 16) * 16)
    pair_sums = [maps[:, 0] + maps[:, 1].flip(-1) for maps, _ in scale_maps]
    stretched = [
        F.interpolate(m[:, None], size, mode="bilinear", align_corners=False)[:, 0]
        for m in pair_sums
    ]
    return torch.stack(stretched).sum(0)[:, :height, :width]


def _join_at_centres(
    scale_maps: Sequence[ScaleMaps],
    image_size: tuple[int, int],
    map_stride: int,
    backbone: Backbone,
) -> Tensor:
    """Return the sum over all views, each sampled where its features really look."""
    height, width = (-(-length // map_stride) for length in image_size)
    sampled = [
        pair_at_centres(maps, view_size, (height, width), backbone)
        for maps, view_size in scale_maps
    ]
    return torch.stack(sampled).sum(0)


def pair_at_centres(
    maps: Tensor, view_size: Sequence[int], cells: tuple[int, int], backbone: Backbone
) -> Tensor:
    """Return the sum (N, *cells) of pairs (N, 2, h, w) of a view's maps, the second mirrored.

    Each is sampled where its features really look.
    """
    rows, columns, mirrored = (
        sampling_matrix(
            backbone,
            features=maps.shape[2 + axis],
            view_length=view_size[axis],
            cells=cells[axis],
            mirrored=mirror,
        ).to(maps)
        for axis, mirror in ((0, False), (1, False), (1, True))
    )
    return rows @ maps[:, 0] @ columns.T + rows @ maps[:, 1] @ mirrored.T


def sampling_matrix(
    backbone: Backbone, *, features: int, view_length: int, cells: int, mirrored: bool
) -> Tensor:
    """Return float64 (cells, features) that samples an axis of a view's map linearly at the cells.

    Every cell has an equal share of the axis: the centre of cell j lies at view pixel
    (j + 0.5) * view_length / cells - 0.5, feature i at stride * i + centre_offset(view_length).
    Beyond the outermost features the map is constant. Mirrored means mirrored in pixels, not in
    features.
    """
    stride = backbone.stage_strides[-1]
    pixels = (torch.arange(cells, dtype=torch.float64) + 0.5) * (view_length / cells) - 0.5
    if mirrored:
        pixels = view_length - 1 - pixels
    positions = (pixels - backbone.centre_offset(view_length)) / stride
    positions = positions.clamp(0, features - 1)
    distances = (positions[:, None] - torch.arange(features, dtype=torch.float64)).abs()
    return (1 - distances).clamp(min=0)
