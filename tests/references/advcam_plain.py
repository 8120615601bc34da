"""AdvCAM written from the paper's equations and the facts in ../shared/golden, slow and plain.

One image, one class, one scale at a time; two backward passes per step, one for Grad-CAM and one
for the climb, both down to all parameters, as the official code does. It checks
wsss/localize/advcam.py and is the plain version of its benchmark.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from wsss.models.classifier import Classifier


def advcam_maps(
    model: Classifier,
    image: np.ndarray,
    class_ids: list[int],
    *,
    scales: list[float],
    steps: int,
    step_size: float,
    regularization_weight: float,
    score_threshold: float,
) -> np.ndarray:
    """Return the official maps (n, ceil(H / 4), ceil(W / 4)) of one image."""
    height, width = image.shape[:2]
    size = ((height + 3) // 4, (width + 3) // 4)
    factor = 2 if steps > 10 and 0.5 in scales else 1
    maps = []
    for class_id in class_ids:
        total = model.head.weight.new_zeros(size)
        for scale in scales:
            count = steps
            if scale == 0.5:
                count = steps // 2 if steps > 10 else (5 if steps >= 6 else steps)
            pair = image_pair(model, image, scale)
            accumulated, _ = climb_pair(
                model, pair, class_id, count, step_size, regularization_weight, score_threshold
            )
            accumulated = factor * accumulated[None, None]
            total += F.interpolate(accumulated, size, mode="bilinear", align_corners=False)[0, 0]
        maps.append(total / (total.max() + 1e-5))
    return torch.stack(maps).cpu().numpy()


def image_pair(model: Classifier, image: np.ndarray, scale: float) -> torch.Tensor:
    height, width = image.shape[:2]
    size = (round(width * scale), round(height * scale))
    scaled = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    pixels = torch.from_numpy(scaled.copy()).permute(2, 0, 1)[None]
    normalized = model.normalize(pixels.to(model.head.weight.device))
    return torch.cat([normalized, torch.flip(normalized, dims=(3,))])


def climb_pair(
    model, pair, class_id, steps, step_size, regularization_weight, score_threshold
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the summed maps (h, w) and the pair after the last step."""
    accumulated = 0
    first = None
    for _ in range(steps):
        pair = pair.detach().requires_grad_(True)
        features = model.features(pair)
        score_maps = model.head(features)
        # Grad-CAM, with the gradient averaged over its positive entries.
        features.retain_grad()
        F.relu(score_maps[:, class_id]).sum().backward(retain_graph=True)
        gradient, pair.grad = features.grad, None
        weights = gradient.sum((2, 3), keepdim=True) / (int((gradient > 0).sum()) + 1e-12)
        per_image = F.relu((weights * features).sum(1))
        attribution = per_image[0] + torch.flip(per_image[1], dims=(1,))
        accumulated = accumulated + attribution.detach()
        if first is None:
            first = attribution.detach()
        peak = attribution.max().item()
        mask = (attribution.detach() / peak > score_threshold) if peak > 0 else first * 0
        probabilities = F.relu(score_maps).mean((2, 3)).sum(0)
        others = [probabilities[k] for k in range(len(probabilities)) if k != class_id]
        loss = probabilities[class_id]
        if others:
            loss = loss - torch.stack(others).sum()
        loss = loss - regularization_weight * ((attribution - first).abs() * mask).sum()
        model.zero_grad()
        loss.backward()
        step = pair.grad / (pair.grad.abs().max().item() + 1e-12)
        lowest, highest = pair.min().item(), pair.max().item()
        pair = torch.clamp(pair.detach() + step_size * step, lowest, highest)
    return accumulated, pair
