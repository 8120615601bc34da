"""Losses of AffinityNet (PSA, Ahn and Kwak 2018; dissertation 2.3.2)."""

import numpy as np
import torch
from torch import Tensor

from wsss.losses.pairs import EPSILON, pair_labels, shrink_labels, source_cells


def psa_losses(
    affinity: Tensor, labels: Tensor, *, offsets: np.ndarray, ignore_index: int
) -> dict[str, Tensor]:
    """Return the losses of one batch, "total" and its terms.

    Pairs are positive where both cells have the same label and negative where they differ; pairs
    with an unknown end do not count. Positive pairs should have affinity 1, negative ones 0.

        total = background / 4 + foreground / 4 + negative / 2

    as in the official code, a quarter of the PSA paper's loss. The dissertation takes the mean over
    all positive pairs together, in which backgrounds outweigh objects.

    Args:
        affinity: Affinities (B, pairs, rows, columns) in 0..1, of the cells that have all their
            partners on the map.
        labels: Confident labels (B, H, W), integers, shrunk to the map by nearest resize.
        offsets: Ways (pairs, 2), (dy, dx), from a cell to its partner.
        ignore_index: Label of unknown pixels.

    Returns:
        Scalars "background_affinity", "foreground_affinity", "negative_affinity" (means over the
        pairs of the batch, zero where there is none) and "total".
    """
    reach = int(np.abs(offsets).max())
    height, width = affinity.shape[2] + reach, affinity.shape[3] + 2 * reach
    background, foreground, different = pair_labels(
        shrink_labels(labels, (height, width)),
        offsets,
        source_cells(offsets, height, width).to(affinity.device),
        ignore_index=ignore_index,
    )
    affinity = affinity.float().flatten(2)
    positive, negative = -torch.log(affinity + EPSILON), -torch.log(1 + EPSILON - affinity)
    terms = {
        "background_affinity": _mean(positive, background),
        "foreground_affinity": _mean(positive, foreground),
        "negative_affinity": _mean(negative, different),
    }
    same = terms["background_affinity"] + terms["foreground_affinity"]
    return {**terms, "total": same / 4 + terms["negative_affinity"] / 2}


def _mean(costs: Tensor, pairs: Tensor) -> Tensor:
    return (costs * pairs).sum() / (pairs.sum() + EPSILON)
