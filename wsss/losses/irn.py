"""Losses of the boundary and displacement network (IRN, Ahn et al. 2019)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from wsss.losses.pairs import (
    EPSILON,
    flat_offsets,
    pair_labels,
    shrink_labels,
    source_cells,
    values_at,
)

TERMS = (
    "background_affinity",
    "foreground_affinity",
    "negative_affinity",
    "foreground_displacement",
    "background_displacement",
)


def irn_losses(
    edge_logits: Tensor,
    displacement: Tensor,
    labels: Tensor,
    *,
    paths: Sequence[np.ndarray],
    ignore_index: int,
) -> dict[str, Tensor]:
    """Return the losses of one batch, "total" and its terms.

    Pairs of cells on one path are positive where both have the same label and negative where they
    differ; pairs with an unknown end do not count. Positive pairs should have affinity 1, negative
    ones 0 (cross-entropy). The displacements of two cells of one object should differ by the way
    from the one to the other, those of two background cells not at all (absolute difference).

        total = ((background + foreground) / 2 + negative) / 2
                + (foreground displacement + background displacement) / 2

    Pairs are worked through one group of paths at a time and again for the gradient, so that
    memory does not grow with the number of paths (the official code keeps all their cells).

    Args:
        edge_logits: Boundary scores (B, 1, h, w) before the sigmoid.
        displacement: Displacements (B, 2, h, w) in cells, (dy, dx), no mean taken off.
        labels: Confident labels (B, H, W), integers, shrunk to (h, w) by nearest resize.
        paths: Groups of paths (paths, cells, 2) as `wsss.refine.affinity.path_groups` lists them
            (radius 10 in IRN).
        ignore_index: Label of unknown pixels.

    Returns:
        Scalars "background_affinity", "foreground_affinity", "negative_affinity",
        "foreground_displacement", "background_displacement" and "total".

    Raises:
        ValueError: The maps are smaller than the paths reach.
    """
    edge = torch.sigmoid(edge_logits[:, 0].float())
    displacement = displacement.float()
    small = shrink_labels(labels, edge.shape[1:])
    ends = np.concatenate([group[:, 0] for group in paths])
    sources = source_cells(ends, *edge.shape[1:]).to(edge.device)
    sums = torch.zeros(5, device=edge.device)
    counts = torch.zeros(3, dtype=torch.int64, device=edge.device)
    for group in paths:
        pairs = pair_labels(small, group[:, 0], sources, ignore_index=ignore_index)
        counts = counts + torch.stack([kind.sum() for kind in pairs])
        sums = sums + _GroupSums.apply(edge, displacement, torch.stack(pairs), group, sources)
    return _means(sums, counts.float())


def pair_terms(
    edge: Tensor, displacement: Tensor, group: np.ndarray, sources: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what each pair would cost as positive or negative, as foreground or background.

    Args:
        edge: Boundary probabilities (B, h, w).
        displacement: Displacements (B, 2, h, w).
        group: Paths (paths, cells, 2).
        sources: Flat indices (N,) of the cells where paths start.

    Returns:
        Affinity costs (B, paths, N) as positive and as negative pair; displacement costs
        (B, 2, paths, N) within an object and within the background.
    """
    offsets = flat_offsets(group, edge)
    flat = edge.flatten(1)
    highest = _highest_on_path(flat.detach(), offsets, sources)
    affinity = 1 - flat.gather(1, highest.flatten(1)).view_as(highest)
    moved = displacement.flatten(2)
    difference = moved[:, :, None, sources] - values_at(moved, offsets[:, 0, None] + sources)
    way = torch.as_tensor(group[:, 0].T.copy(), device=edge.device)[:, :, None]
    return (
        -torch.log(affinity + EPSILON),
        -torch.log(1 + EPSILON - affinity),
        (difference - way).abs(),
        difference.abs(),
    )


def _highest_on_path(flat: Tensor, offsets: Tensor, sources: Tensor) -> Tensor:
    # A running maximum: all cells of all paths at once would be ten times the memory.
    index = (offsets[:, 0, None] + sources).expand(len(flat), -1, -1)
    largest = values_at(flat, index[0])
    for offset in offsets.T[1:]:
        candidate = offset[:, None] + sources
        value = values_at(flat, candidate)
        index = torch.where(value > largest, candidate, index)
        largest = torch.maximum(value, largest)
    return index


class _GroupSums(torch.autograd.Function):
    """The sums of one group's terms, computed a second time for their gradient.

    The same as torch.utils.checkpoint, whose first call spends seconds on importing a compiler.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        edge: Tensor,
        displacement: Tensor,
        pairs: Tensor,
        group: np.ndarray,
        sources: Tensor,
    ) -> Tensor:
        """Return the sums (5,) in the order of TERMS."""
        ctx.save_for_backward(edge, displacement, pairs, sources)
        ctx.group = group  # type: ignore[attr-defined]
        return _group_sums(edge, displacement, pairs, group, sources)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the boundary map and of the displacement."""
        edge, displacement, pairs, sources = ctx.saved_tensors  # type: ignore[attr-defined]
        edge, displacement = (x.detach().requires_grad_() for x in (edge, displacement))
        with torch.enable_grad():
            sums = _group_sums(edge, displacement, pairs, ctx.group, sources)  # type: ignore[attr-defined]
        return (*torch.autograd.grad(sums, (edge, displacement), gradient), None, None, None)


def _group_sums(
    edge: Tensor, displacement: Tensor, pairs: Tensor, group: np.ndarray, sources: Tensor
) -> Tensor:
    positive, negative, within_object, still = pair_terms(edge, displacement, group, sources)
    background, foreground, different = pairs
    return torch.stack(
        [
            (positive * background).sum(),
            (positive * foreground).sum(),
            (negative * different).sum(),
            (within_object * foreground[:, None]).sum(),
            (still * background[:, None]).sum(),
        ]
    )


def _means(sums: Tensor, counts: Tensor) -> dict[str, Tensor]:
    background, foreground, different = counts
    # A displacement has two coordinates.
    pairs = torch.stack([background, foreground, different, 2 * foreground, 2 * background])
    means = sums / (pairs + EPSILON)
    terms = dict(zip(TERMS, means, strict=True))
    affinity = (means[0] + means[1]) / 2 + means[2]
    return {**terms, "total": affinity / 2 + (means[3] + means[4]) / 2}
