"""RIB written from the paper's equations and the facts in ../shared/golden, slow and plain.

One image at a time, each with a whole network of its own: every step sees all views and all others
from their pixels, and goes back once from the sum of their losses. It checks wsss/localize/rib.py
and is the plain version of its benchmark.
"""

import copy
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from tests.references.advcam_plain import image_pair
from wsss.models.classifier import Classifier


def rib_maps(
    model: Classifier,
    image: np.ndarray,
    class_ids: list[int],
    others: list[tuple[np.ndarray, np.ndarray]],
    *,
    scales: list[float],
    **recipe: Any,
) -> np.ndarray:
    """Return the official maps (n, ceil(H / 4), ceil(W / 4)) of one image, see `rib_states`."""
    sums = dict.fromkeys(scales, 0)
    for _, looked_at in rib_states(model, image, class_ids, others, scales=scales, **recipe):
        for scale, pair in looked_at.items():
            sums[scale] = sums[scale] + pair
    return joined(sums, image.shape[:2], class_ids)


def rib_states(
    model: Classifier,
    image: np.ndarray,
    class_ids: list[int],
    others: list[tuple[np.ndarray, np.ndarray]],
    *,
    scales: list[float],
    least_learnt_scale: float,
    steps: int,
    learning_rate: float,
    head_multiplier: float,
    momentum: float,
    weight_decay: float,
    schedule: str,
    loss: str,
    pooling: str,
    score_threshold: float,
    margin: float,
    margin_form: str,
    explosion_threshold: float,
    explosion_share: float,
    accumulation: str,
) -> Iterator[tuple[Classifier, dict[float, torch.Tensor]]]:
    """Yield the network in every state and its maps (C, h, w) of the scales that count.

    `others` are, for each step, images (B, S, S, 3) uint8 and their image labels (B, C).
    """
    network = copy.deepcopy(model).eval()
    for number, modules in enumerate(network.backbone.stage_modules()):
        for module in modules:
            module.requires_grad_(number >= 3)
    network.head.requires_grad_(True)
    learning = [p for p in network.parameters() if p.requires_grad]
    velocity = [torch.zeros_like(p) for p in learning]
    head = network.head.weight

    def loss_of(scores: list[torch.Tensor], present: Collection[int]) -> torch.Tensor:
        """Return the loss of a view's C pooled scores."""
        if loss != "rib":
            return cross_entropy(scores, present, loss)
        of_present = [scores[c] for c in present]
        return -sum(capped(s, margin) if margin_form == "paper" else s for s in of_present)

    states = steps + 1 if accumulation == "paper" else steps
    for step in range(states):
        for parameter in learning:
            parameter.grad = None
        total, own_score, looked_at = 0, 0, {}
        for number, scale in enumerate(scales):
            scores = network.score_maps(image_pair(network, image, scale))
            maps = scores.detach().clamp(min=0)
            looked_at[scale] = maps[0] + maps[1].flip(-1)
            if number == 0 and step > 0:
                high = torch.zeros_like(maps[0, 0])
                for c in class_ids:
                    shares = looked_at[scale][c] / (looked_at[scale][c].max() + 1e-5)
                    high[shares > explosion_threshold] = 1
                if high.mean().item() > explosion_share:
                    yield network, looked_at
                    return
            if scale < least_learnt_scale:
                continue
            for view in scores:
                pooled = pool_all(view, class_ids, pooling, score_threshold)
                own_score += sum(pooled[c].item() for c in class_ids)
                total = total + loss_of(pooled, class_ids)
        yield network, looked_at
        if step == steps:
            return
        other_images, other_labels = others[step]
        if len(other_images):
            pixels = torch.from_numpy(other_images.transpose(0, 3, 1, 2).copy())
            scores = network.score_maps(network.normalize(pixels.to(head.device)))
            for view, present in zip(scores, other_labels, strict=True):
                ids = np.flatnonzero(present)
                pooled = pool_all(view, ids, pooling, score_threshold)
                total = total + loss_of(pooled, ids)
        total.backward()
        if margin_form == "official" and abs(own_score) > margin:
            return
        rate = learning_rate
        if schedule == "poly":
            rate = learning_rate * (1 - step / steps) ** 0.9
        with torch.no_grad():
            for parameter, v in zip(learning, velocity, strict=True):
                v.mul_(momentum).add_(parameter.grad + weight_decay * parameter)
                parameter -= rate * (head_multiplier if parameter is head else 1) * v


def pool_all(
    view: torch.Tensor, present: Collection[int], pooling: str, threshold: float
) -> list[torch.Tensor]:
    """Return the pooled scores of all maps (C, h, w); of absent classes it is the mean."""
    return [
        pool(scores, pooling, threshold) if c in present else scores.mean()
        for c, scores in enumerate(view)
    ]


def pool(scores: torch.Tensor, pooling: str, threshold: float) -> torch.Tensor:
    """Return the pooled score of a map (h, w) of a class that is present."""
    if pooling == "gap":
        return scores.mean()
    peak = scores.max().item()
    total, count = 0 * scores.sum(), 0
    for score in scores.flatten():
        if pooling == "gndp":
            inside = peak == 0 or score.item() / peak < threshold
        else:
            inside = peak <= 0 or max(score.item(), 0) / peak <= threshold
        if inside:
            total, count = total + score, count + 1
    return total / (scores.numel() if pooling == "gndp" else max(count, 1))


def capped(score: torch.Tensor, margin: float) -> torch.Tensor:
    return score if score.item() <= margin else score.detach() * 0 + margin


def cross_entropy(
    scores: list[torch.Tensor], present: Collection[int], activation: str
) -> torch.Tensor:
    total = 0
    for c, score in enumerate(scores):
        if activation == "sigmoid":
            probability = 1 / (1 + torch.exp(-score))
        elif activation == "tanh":
            probability = (torch.tanh(score) + 1) / 2
        else:
            probability = (F.softsign(score) + 1) / 2
        total = total - torch.log(probability if c in present else 1 - probability)
    return total


def joined(sums: dict, size: tuple[int, int], class_ids: list[int]) -> np.ndarray:
    size = ((size[0] + 3) // 4, (size[1] + 3) // 4)
    total = 0
    for maps in sums.values():
        total = total + F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]
    chosen = total[class_ids]
    return (chosen / (chosen.amax((1, 2), keepdim=True) + 1e-5)).cpu().numpy()
