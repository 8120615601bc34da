"""Slow boundary and displacement losses, pair by pair, from the description of IRN."""

import torch


def irn_losses_slow(edge_logits, displacement, labels, *, radius, ignore_index):
    """Return the loss terms as a dict of float64 scalars; labels (B, h, w) at map size."""
    edge = torch.sigmoid(edge_logits[:, 0])
    sums = {name: [0.0, 0] for name in ("bg", "fg", "neg", "dp_fg", "dp_bg")}
    for batch, (y, x), (ty, tx) in _pairs(labels, radius):
        first, second = int(labels[batch, y, x]), int(labels[batch, ty, tx])
        if ignore_index in (first, second):
            continue
        affinity = 1 - max(_line(edge[batch], (y, x), (ty, tx)))
        if first != second:
            _add(sums["neg"], -torch.log(1 - affinity + 1e-5), 1)
            continue
        kind = "bg" if first == 0 else "fg"
        _add(sums[kind], -torch.log(affinity + 1e-5), 1)
        moved = displacement[batch, :, y, x] - displacement[batch, :, ty, tx]
        way = torch.tensor([ty - y, tx - x]) if kind == "fg" else torch.zeros(2)
        _add(sums[f"dp_{kind}"], (moved - way).abs().sum(), 2)
    mean = {name: total / (count + 1e-5) for name, (total, count) in sums.items()}
    total = ((mean["bg"] + mean["fg"]) / 2 + mean["neg"]) / 2 + (mean["dp_fg"] + mean["dp_bg"]) / 2
    return {**mean, "total": total}


def _pairs(labels, radius):
    # Sources keep a margin, so that all their targets lie inside the map.
    batch, height, width = labels.shape
    for b in range(batch):
        for y in range(height - radius + 1):
            for x in range(radius - 1, width - radius + 1):
                for dy in range(radius):
                    for dx in range(-radius + 1, radius):
                        ahead = dy > 0 or dx > 0
                        if ahead and dy**2 + dx**2 < radius**2:
                            yield b, (y, x), (y + dy, x + dx)


def _line(edge, start, end):
    dy, dx = end[0] - start[0], end[1] - start[1]
    return [
        edge[y, x]
        for y in range(min(start[0], end[0]), max(start[0], end[0]) + 1)
        for x in range(min(start[1], end[1]), max(start[1], end[1]) + 1)
        if (dy * (x - start[1]) - dx * (y - start[0])) ** 2 < dy**2 + dx**2
    ]


def _add(sum_and_count, value, count):
    sum_and_count[0] = sum_and_count[0] + value
    sum_and_count[1] += count
