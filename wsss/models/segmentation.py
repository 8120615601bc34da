"""Class probabilities of whole images by a segmentation network."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.models.deeplab import MultiScale

# Arrays of (classes, H, W) at once: resized logits, their softmax, the sum, a copy of it.
PROBABILITIES_AT_ONCE = 4


@torch.inference_mode()
def predict_probabilities(
    segmenter: MultiScale,
    images: np.ndarray,
    *,
    scales: Sequence[float],
    flip: bool,
    memory_gb: float,
) -> Iterator[np.ndarray]:
    """Yield each image's mean softmax over scales and mirror images, at the size of the image.

    Each view's logits are resized to the image's size (bilinear, corners not aligned) before the
    softmax, as in kazuto1011/deeplab-pytorch, which has the one view of scale 1 without mirror.
    A scaled view is made by bilinear resizing to (round(H s), round(W s)).

    Args:
        segmenter: in evaluation mode, on its device.
        images: uint8 RGB of one size (B,H,W,3).
        scales: of the views, one or more, above 0. The network's own scales act within each.
        flip: whether every view is also seen mirrored.
        memory_gb: of the device, beside the network: as many images pass at once as fit by
            `images_per_pass`.

    Yields:
        float32 (K,H,W), sums to 1 over K; as many as there are images.

    Raises:
        TypeError: the images are not uint8.
        ValueError: wrong shape, no scale, or a network in training mode.
    """
    if images.dtype != np.uint8:
        raise TypeError(f"images are uint8 on 0..255, not {images.dtype}")
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"images are {images.shape}; expected (B,H,W,3)")
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales must be one or more positive numbers, not {tuple(scales)}")
    if segmenter.training:
        raise ValueError("the segmenter is in training mode; call eval() on it first")
    device = next(segmenter.parameters()).device
    count = images_per_pass(segmenter, images.shape[1:3], scale=max(scales), memory_gb=memory_gb)
    for batch in torch.from_numpy(images).split(count):
        pixels = segmenter.normalize(batch.to(device).permute(0, 3, 1, 2))
        yield from _mean_probabilities(segmenter, pixels, scales, flip=flip).float().cpu().numpy()


def images_per_pass(
    segmenter: MultiScale, size: Sequence[int], *, scale: float, memory_gb: float
) -> int:
    """Return how many images pass at once within a memory, at least one.

    An image counts with the outputs of all stages of the backbone at the given scale, about what
    its largest block holds at once, and with its class probabilities at its own size.

    Args:
        segmenter: the network.
        size: (H, W) of the images in pixels.
        scale: the largest of the views.
        memory_gb: for all of it, in units of 2**30 bytes.
    """
    backbone = segmenter.base.backbone
    outputs = zip(backbone.stage_channels, backbone.stage_strides, strict=True)
    features = sum(channels / stride**2 for channels, stride in outputs) * scale**2
    classes = PROBABILITIES_AT_ONCE * segmenter.base.num_classes
    value_bytes = next(segmenter.parameters()).element_size()
    image_bytes = value_bytes * (features + classes) * size[0] * size[1]
    return max(1, int(memory_gb * 2**30 / image_bytes))


def _mean_probabilities(
    segmenter: MultiScale, pixels: Tensor, scales: Sequence[float], *, flip: bool
) -> Tensor:
    total = torch.zeros((), device=pixels.device)
    for scale in scales:
        view = _scaled(pixels, scale)
        total = total + _probabilities(segmenter, view, pixels.shape[-2:])
        if flip:
            total = total + _probabilities(segmenter, view.flip(3), pixels.shape[-2:]).flip(3)
    return total / (len(scales) * (2 if flip else 1))


def _probabilities(segmenter: MultiScale, view: Tensor, size: Sequence[int]) -> Tensor:
    logits = segmenter(view)
    return F.interpolate(logits, size=list(size), mode="bilinear", align_corners=False).softmax(1)


def _scaled(pixels: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return pixels
    size = [max(1, round(side * scale)) for side in pixels.shape[-2:]]
    return F.interpolate(pixels, size=size, mode="bilinear", align_corners=False)
