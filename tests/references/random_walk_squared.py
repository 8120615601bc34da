"""IRN's random walk as the official code computes it: one dense float32 matrix, squared.

It is the plain version of the walk's benchmark; its paths are checked by random_walk_dense.
"""

import torch
import torch.nn.functional as F


def random_walk_squared(maps, edge, *, radius, beta, exp_times, map_exponent):
    """Return float32 maps (n, h, w) after squaring the transition matrix exp_times times."""
    transition = dense_affinity(torch.from_numpy(edge), radius) ** beta
    transition = transition / transition.sum(dim=0, keepdim=True)
    for _ in range(exp_times):
        transition = transition @ transition
    weakened = torch.from_numpy(maps) ** map_exponent * (1 - torch.from_numpy(edge))
    return (weakened.flatten(1) @ transition).reshape(maps.shape).numpy()


def dense_affinity(edge, radius):
    """Return the affinities of all pairs of cells (h * w, h * w), ones on the diagonal."""
    height, width = edge.shape
    reach = radius - 1
    padded = F.pad(edge[None, None], (reach, reach, 0, reach), value=1.0)[0, 0]
    cells = torch.arange(height * width).reshape(height, width)
    dense = torch.eye(height * width)
    for dy in range(radius):
        for dx in range(-reach, radius):
            if (dy == 0 and dx <= 0) or dy * dy + dx * dx >= radius * radius:
                continue
            crossed = torch.zeros(height, width)
            for y in range(dy + 1):
                for x in range(min(0, dx), max(0, dx) + 1):
                    if (dy * x - dx * y) ** 2 < dy * dy + dx * dx:
                        left = reach + x
                        crossed = torch.maximum(
                            crossed, padded[y : y + height, left : left + width]
                        )
            columns = slice(max(0, -dx), width - max(0, dx))
            starts = cells[: height - dy, columns]
            ends = starts + dy * width + dx
            values = (1 - crossed)[: height - dy, columns]
            dense[starts, ends] = values
            dense[ends, starts] = values
    return dense
