"""EPS's saliency loss pixel by pixel, from eps eq. 1 to 3, in numpy and float64."""

import numpy as np


def saliency_loss_plain(
    scores: np.ndarray,
    saliency: np.ndarray,
    image_labels: np.ndarray,
    *,
    lambda_: float,
    threshold: float,
    per_position: float,
) -> float:
    """Return the loss with adaptive selection; saliency (B, h, w) at the size of scores.

    `per_position` is added to the size of a class once per position (official: 1e-4, paper: 0).
    """
    batch, outputs, height, width = scores.shape
    total = 0.0
    for b in range(batch):
        maps = np.exp(scores[b]) / np.exp(scores[b]).sum(0)
        foreground, background = np.zeros((height, width)), maps[-1].copy()
        for c in range(outputs - 1):
            if not image_labels[b, c]:
                continue
            both = size = 0.0
            for y in range(height):
                for x in range(width):
                    size += (maps[c, y, x] > 0.5) + per_position
                    both += maps[c, y, x] > 0.5 and saliency[b, y, x] > 0.5
            overlap = both / size if size else 0.0
            if overlap > threshold:
                foreground += maps[c]
            else:
                background += maps[c]
        estimate = lambda_ * foreground + (1 - lambda_) * (1 - background)
        total += ((saliency[b] - estimate) ** 2).sum() / (height * width)
    return total / batch
