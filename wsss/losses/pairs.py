"""Pairs of near cells and what their labels say: the same background, the same class, or not."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Keeps logarithms and means finite, as in the official code of PSA and IRN.
EPSILON = 1e-5


def shrink_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """Return labels (B, h, w) int64 by nearest resize, taking the pixel at each cell's centre."""
    shrunk = F.interpolate(labels[:, None].float(), size=tuple(size), mode="nearest-exact")
    return shrunk[:, 0].long()


def source_cells(offsets: np.ndarray, height: int, width: int) -> Tensor:
    """Return the flat indices (N,) int64 of the cells that have all their partners inside the map.

    They are the rows from 0 and the columns from the largest offset on.

    Args:
        offsets: Ways (pairs, 2), (dy, dx), from a cell to its partners, dy >= 0.
        height: Of the map, cells.
        width: Of the map, cells.

    Raises:
        ValueError: There is no such cell.
    """
    reach = int(np.abs(offsets).max())
    rows, columns = torch.arange(height - reach), torch.arange(reach, width - reach)
    if height <= reach or width <= 2 * reach:
        raise ValueError(
            f"maps of {height} x {width} cells are too small for pairs within radius "
            f"{reach + 1}: lower the radius or raise the crop size"
        )
    return (rows[:, None] * width + columns).flatten()


def pair_labels(
    labels: Tensor, offsets: np.ndarray, sources: Tensor, *, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return which pairs are of one background, of one foreground class, and of different labels.

    Args:
        labels: Labels (B, h, w), 0 background.
        offsets: Ways (pairs, 2), (dy, dx), from a cell to its partner.
        sources: Flat indices (N,) of the cells where pairs start.
        ignore_index: Label of unknown cells.

    Returns:
        Three boolean tensors (B, pairs, N).
    """
    index = flat_offsets(offsets, labels)[:, None] + sources
    source = labels.flatten(1)[:, None, sources]
    target = values_at(labels.flatten(1), index)
    known = (source != ignore_index) & (target != ignore_index)
    same = known & (source == target)
    return same & (source == 0), same & (source > 0), known & (source != target)


def flat_offsets(offsets: np.ndarray, maps: Tensor) -> Tensor:
    """Return offsets (..., 2) as steps (...) between the flat indices of maps (..., h, w)."""
    return torch.as_tensor(offsets @ (maps.shape[-1], 1), device=maps.device)


def values_at(values: Tensor, index: Tensor) -> Tensor:
    """Return the values (..., *index.shape) of (..., N) at flat indices."""
    # Not values[..., index]: the gradient of that sorts all indices on a GPU.
    return values.index_select(-1, index.flatten()).unflatten(-1, index.shape)
