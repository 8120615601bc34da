"""Losses of a segmenter whose seed grows while it trains (DSRG)."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.losses.dsrg import boundary_loss, grow_seed
from wsss.losses.segmentation import multi_scale_losses, shrink_labels
from wsss.refine.crf import Crf, dense_crf

IGNORE_INDEX = 255


def grown_losses(
    outputs: Sequence[Tensor],
    batch: Sequence[Tensor],
    *,
    loss: str,
    foreground_threshold: float,
    background_threshold: float,
    grown_by: str,
    boundary_weight: float,
    ratio_limit: float | None,
    crf: Mapping[str, Any],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of the grown seed with the boundary loss, and its terms for the log.

    Every step grows the seed anew from the given one, by what the network says now, as in the
    authors' code; nothing is kept from step to step. The growing and the CRF work on the map that
    joins all scales, at its size (41 x 41 in DSRG, which has one scale), and each output of the
    network then learns from both, shrunk to its own size.

    Args:
        outputs: Logits of `MultiScale` in training: (B, K, h, w) each, the joined ones last.
        batch: Images, RGB (B, 3, H, W) uint8; the seed, (B, H, W) uint8, 255 where unsure; the
            image labels, (B, K - 1) multi-hot; and (B, H, W) bool, whether a pixel is of the image,
            for padding does not grow.
        loss: As in `multi_scale_losses`.
        foreground_threshold: See `grow_seed`.
        background_threshold: See `grow_seed`.
        grown_by: Whose probabilities meet the thresholds: `crf`, as in the authors' code, or
            `network`, as in the paper.
        boundary_weight: Of the boundary loss; 0 is without it.
        ratio_limit: See `boundary_loss`.
        crf: Arguments of `crf_probabilities`.

    Returns:
        The loss to minimise, and `seeding`, `boundary` (if it has a weight) and what `grown_seed`
        says of labelled cells.

    Raises:
        KeyError: An unknown word.
    """
    if grown_by not in ("crf", "network"):
        raise KeyError(f"grown_by is {grown_by!r}; known: crf, network")
    pixels, *seeds = batch
    network = outputs[-1].detach().float().softmax(1)
    needs_crf = grown_by == "crf" or boundary_weight > 0
    smoothed = crf_probabilities(network, pixels, **crf) if needs_crf else network
    grown, shares = grown_seed(
        smoothed if grown_by == "crf" else network,
        seeds,
        foreground_threshold=foreground_threshold,
        background_threshold=background_threshold,
    )
    total = multi_scale_losses(outputs, grown, loss=loss, ignore_index=IGNORE_INDEX).sum()
    terms = {"seeding": total.detach(), **shares}
    if boundary_weight:
        boundary = _boundary_losses(outputs, smoothed, batch[3], ratio_limit=ratio_limit)
        total = total + boundary_weight * boundary
        terms["boundary"] = boundary.detach()
    return total, terms


def grown_seed(
    probs: Tensor,
    seeds: Sequence[Tensor],
    *,
    foreground_threshold: float,
    background_threshold: float,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the seed grown at the size of a map, integers (B, h, w), and what is labelled.

    The seed is shrunk to the map by its nearest pixels.

    Args:
        probs: (B, K, h, w).
        seeds: The batch of `grown_losses` without the images.
        foreground_threshold: See `grow_seed`.
        background_threshold: See `grow_seed`.

    Returns:
        The seed, and the mean over images of the share 0..1 of their cells that have a label before
        and after the growing, `seed_share` and `grown_share`.
    """
    masks, image_labels, inside = seeds
    size = probs.shape[-2:]
    seed, counted = shrink_labels(masks, size), shrink_labels(inside, size).bool()
    # Probabilities of zero keep the padding from growing.
    sure = (probs * counted[:, None]).cpu().numpy()
    grown = grow_seed(
        sure,
        seed.cpu().numpy(),
        image_labels.cpu().numpy(),
        foreground_threshold=foreground_threshold,
        background_threshold=background_threshold,
    )
    found = torch.from_numpy(grown).to(seed)
    shares = {
        "seed_share": _labelled_share(seed, counted),
        "grown_share": _labelled_share(found, counted),
    }
    return found, shares


def crf_probabilities(
    probs: Tensor,
    pixels: Tensor,
    *,
    unary: str,
    **crf: Unpack[Crf],
) -> Tensor:
    """Return the probabilities after a dense CRF at the size of the map, (B, K, h, w).

    The images are resized to that size as in the authors' code (bilinear, corners aligned).

    Args:
        probs: (B, K, h, w). NaN counts as zero: of a training that diverges the loop tells.
        pixels: RGB (B, 3, H, W) uint8.
        unary: A label's cost: `probability`, minus its probability, as in the authors' code, where
            the CRF mostly smooths; or `logarithm`, minus its logarithm, as in every other CRF.
        **crf: See `wsss.refine.crf.Crf`; a pixel is a cell of the map.

    Raises:
        KeyError: An unknown word.
    """
    if unary not in ("probability", "logarithm"):
        raise KeyError(f"unary is {unary!r}; known: probability, logarithm")
    images = F.interpolate(pixels.float(), probs.shape[-2:], mode="bilinear", align_corners=True)
    colours = images.round().byte().permute(0, 2, 3, 1).cpu().numpy()
    given = probs.nan_to_num()
    if unary == "probability":
        # The logarithm of a softmax is its argument, but for a constant.
        given = given.softmax(1)
    refined = [
        dense_crf(
            image,
            own,
            **crf,
        )
        for image, own in zip(colours, given.cpu().numpy(), strict=True)
    ]
    return torch.from_numpy(np.stack(refined)).to(probs)


def _boundary_losses(
    outputs: Sequence[Tensor], refined: Tensor, inside: Tensor, *, ratio_limit: float | None
) -> Tensor:
    """Return the sum over the outputs, each against the CRF's map resized to it."""
    total = outputs[-1].new_zeros(())
    for logits in outputs:
        size = logits.shape[-2:]
        target = F.interpolate(refined, size, mode="bilinear", align_corners=False)
        counted = shrink_labels(inside, size).bool()
        total = total + boundary_loss(logits, target, counted, ratio_limit=ratio_limit)
    return total


def _labelled_share(seed: Tensor, counted: Tensor) -> Tensor:
    """Return the mean over images of the share 0..1 of their cells that have a label."""
    labelled = ((seed != IGNORE_INDEX) & counted).sum((1, 2)).float()
    return (labelled / counted.sum((1, 2)).clamp(min=1)).mean()
