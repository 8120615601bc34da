"""AffinityNet's affinities, losses and random walk from their definitions: every pair, dense."""

import numpy as np
import torch


def pairs_of(height, width, radius, inner):
    """Yield the pairs ((y, x), (y', x')) nearer than the radius, each once.

    With `inner`, only those of which the first cell has all its neighbours on the map.
    """
    reach = radius - 1
    for y in range(height):
        for x in range(width):
            if inner and not (y + reach < height and reach <= x < width - reach):
                continue
            for dy in range(radius):
                for dx in range(-reach, radius):
                    ahead = dy > 0 or dx > 0
                    inside = y + dy < height and 0 <= x + dx < width
                    if ahead and inside and dy**2 + dx**2 < radius**2:
                        yield (y, x), (y + dy, x + dx)


def affinity_of(features, one, other, distance):
    """Return exp(-distance) of two cells of features (D, h, w)."""
    difference = (features[:, one[0], one[1]] - features[:, other[0], other[1]]).abs()
    return torch.exp(-getattr(difference, distance)())


def psa_losses_plain(features, labels, *, radius, distance, ignore_index):
    """Return the loss terms of features (B, D, h, w) and labels (B, h, w) at their size."""
    sums = {name: [0.0, 0] for name in ("background", "foreground", "negative")}
    for maps, mask in zip(features, labels, strict=True):
        for one, other in pairs_of(*mask.shape, radius, inner=True):
            first, second = int(mask[one]), int(mask[other])
            if ignore_index in (first, second):
                continue
            affinity = affinity_of(maps, one, other, distance)
            if first == second:
                own, cost = (
                    sums["foreground" if first else "background"],
                    -torch.log(affinity + 1e-5),
                )
            else:
                own, cost = sums["negative"], -torch.log(1 + 1e-5 - affinity)
            own[0], own[1] = own[0] + cost, own[1] + 1
    means = {f"{name}_affinity": total / (count + 1e-5) for name, (total, count) in sums.items()}
    same = means["background_affinity"] / 4 + means["foreground_affinity"] / 4
    return {**means, "total": same + means["negative_affinity"] / 2}


def dense_affinities(affinity, offsets, radius, *, inner):
    """Return the matrix (h * w, h * w) of affinities (pairs, h, w), ones on the diagonal."""
    ways = [tuple(way) for way in np.asarray(offsets).tolist()]
    _, height, width = affinity.shape
    dense = np.eye(height * width)
    for (y, x), (ty, tx) in pairs_of(height, width, radius, inner):
        value = affinity[ways.index((ty - y, tx - x)), y, x]
        dense[y * width + x, ty * width + tx] = dense[ty * width + tx, y * width + x] = value
    return dense


def walk_squared(scores, dense, *, beta, exp_times):
    """Return scores (K, h, w) times the transition matrix, squared exp_times times (float64)."""
    transition = dense**beta
    transition = transition / transition.sum(axis=0, keepdims=True)
    for _ in range(exp_times):
        transition = transition @ transition
    return (scores.reshape(len(scores), -1).astype(np.float64) @ transition).reshape(scores.shape)
