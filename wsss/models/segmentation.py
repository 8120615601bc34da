"""Class probabilities of whole images by a segmentation network."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.models.deeplab import MultiScale


@torch.inference_mode()
def predict_probabilities(
    segmenter: MultiScale, images: np.ndarray, *, scales: Sequence[float], flip: bool
) -> np.ndarray:
    """Return the mean softmax over scales and mirror images, at the size of the image.

    Each view's logits are resized to the image's size (bilinear, corners not aligned) before the
    softmax, as in kazuto1011/deeplab-pytorch, which has the one view of scale 1 without mirror.
    A scaled view is made by bilinear resizing to (round(H s), round(W s)).

    Args:
        segmenter: in evaluation mode, on its device.
        images: uint8 RGB, one image (H,W,3) or a batch of one size (B,H,W,3).
        scales: of the views, one or more, above 0. The network's own scales act within each.
        flip: whether every view is also seen mirrored.

    Returns:
        float32 (K,H,W) for an image, (B,K,H,W) for a batch; sums to 1 over K.

    Raises:
        TypeError: the images are not uint8.
        ValueError: wrong shape, no scale, or a network in training mode.
    """
    if images.dtype != np.uint8:
        raise TypeError(f"images are uint8 on 0..255, not {images.dtype}")
    if images.ndim not in (3, 4) or images.shape[-1] != 3:
        raise ValueError(f"images are {images.shape}; expected (H,W,3) or (B,H,W,3)")
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales must be one or more positive numbers, not {tuple(scales)}")
    if segmenter.training:
        raise ValueError("the segmenter is in training mode; call eval() on it first")
    device = next(segmenter.parameters()).device
    batch = torch.from_numpy(images if images.ndim == 4 else images[None]).to(device)
    pixels = segmenter.normalize(batch.permute(0, 3, 1, 2))
    total = torch.zeros((), device=device)
    for scale in scales:
        view = _scaled(pixels, scale)
        total = total + _probabilities(segmenter, view, pixels.shape[-2:])
        if flip:
            total = total + _probabilities(segmenter, view.flip(3), pixels.shape[-2:]).flip(3)
    mean = (total / (len(scales) * (2 if flip else 1))).float().cpu().numpy()
    return mean if images.ndim == 4 else mean[0]


def _probabilities(segmenter: MultiScale, view: Tensor, size: Sequence[int]) -> Tensor:
    logits = segmenter(view)
    return F.interpolate(logits, size=list(size), mode="bilinear", align_corners=False).softmax(1)


def _scaled(pixels: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return pixels
    size = [max(1, round(side * scale)) for side in pixels.shape[-2:]]
    return F.interpolate(pixels, size=size, mode="bilinear", align_corners=False)
