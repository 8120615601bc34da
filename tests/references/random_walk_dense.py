"""Slow random walk from the equations of IRN: every pair of cells, a dense matrix, squared."""

import numpy as np


def random_walk_dense(maps, edge, *, radius, beta, exp_times, map_exponent):
    """Return float64 maps (n, h, w) after squaring the dense transition matrix exp_times times."""
    height, width = edge.shape
    cells = [(y, x) for y in range(height) for x in range(width)]
    weights = np.eye(len(cells))
    for i, start in enumerate(cells):
        for j, end in enumerate(cells):
            if 0 < (end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2 < radius**2:
                weights[i, j] = (1 - _largest_between(edge, start, end)) ** beta
    transition = weights / weights.sum(axis=0, keepdims=True)
    for _ in range(exp_times):
        transition = transition @ transition
    flat = (maps.astype(np.float64) ** map_exponent * (1 - edge)).reshape(len(maps), -1)
    return (flat @ transition).reshape(maps.shape)


def _largest_between(edge, start, end):
    dy, dx = end[0] - start[0], end[1] - start[1]
    largest = 0.0
    for y in range(min(start[0], end[0]), max(start[0], end[0]) + 1):
        for x in range(min(start[1], end[1]), max(start[1], end[1]) + 1):
            across = dy * (x - start[1]) - dx * (y - start[0])
            if across**2 < dy**2 + dx**2:
                largest = max(largest, edge[y, x])
    return largest
