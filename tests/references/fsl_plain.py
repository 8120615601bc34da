"""Feature similarity loss over all pixel pairs, from equations 9 to 13 of HFPL."""

import math

import torch


def pair_weights(height, width, *, sigma, reach):
    """(N, N) float64 of eq. 10; 1 / N without sigma; zero for pairs further apart than reach."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    points = torch.stack([rows.flatten(), columns.flatten()], 1).double()
    squared = ((points[:, None] - points[None]) ** 2).sum(-1)
    if sigma is None:
        weights = torch.full_like(squared, 1 / len(points))
    else:
        weights = torch.exp(-squared / (2 * sigma**2)) / (2 * math.pi * sigma**2)
    return weights if reach is None else torch.where(squared > reach**2, 0.0, weights)


def feature_similarity_plain(predictions, images, *, mu, sigma, reach):
    """The loss with its gradient by autograd; every pair is held in memory, per class too."""
    batch, _, height, width = predictions.shape
    a, x = (maps.flatten(2).transpose(1, 2) for maps in (predictions, images))
    g = ((a[:, :, None] - a[:, None]) ** 2).sum(-1) / 2
    delta = (x[:, :, None] - x[:, None]).abs().sum(-1) / 3
    f = torch.tanh(mu + torch.log((delta + 1e-5) / (1 - delta + 1e-5)))
    w = pair_weights(height, width, sigma=sigma, reach=reach).to(g)
    return -(w * g * f).sum() / (batch * height * width)
