"""Losses of EPS: a saliency map supervises the classes' maps and the background's (eps sec. 3).

`score_maps` are raw scores (B, K, h, w), the background last; `image_labels` (B, C) multi-hot;
`saliency` (B, H, W) in 0..1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss.losses.classification import classification_loss

SELECTIONS = ("adaptive", "naive", "predefined")
OVERLAPS = ("official", "paper")
# Added to every position of a class's binary map by the official code.
POSITION_EPSILON = 1e-4


class SaliencyEstimate(NamedTuple):
    """Maps (B, h, w) in 0..1: the classes' sum, 1 - the background's, and their blend."""

    foreground: Tensor
    not_background: Tensor
    blend: Tensor


def selected_classes(
    probabilities: Tensor,
    saliency: Tensor,
    image_labels: Tensor,
    *,
    selection: str,
    overlap: str,
    overlap_threshold: float,
    background_classes: Sequence[int],
) -> Tensor:
    """Return which of an image's classes count as foreground, bool (B, C) (eps sec. 3.2 and 5.2).

    Args:
        probabilities: (B, K, h, w) in 0..1, background last.
        saliency: (B, h, w) in 0..1.
        image_labels: (B, C).
        selection: "adaptive" takes the classes of which more than a threshold lies on the saliency
            (eps eq. 2); "naive" all; "predefined" all but `background_classes` (eps Table 3: sofa,
            chair and dining table of PASCAL VOC).
        overlap: both maps are binary, 1 above 0.5. "official" adds 1e-4 per position of a map to a
            class's number of positions, "paper" nothing; a class without any position overlaps by
            0 either way.
        overlap_threshold: tau (eps: 0.4); only "adaptive" uses it.
        background_classes: zero-based ids; only "predefined" uses them.

    Raises:
        ValueError: A name is unknown, or a background class is none of the classes.
    """
    _check_choice("selection", selection, SELECTIONS)
    _check_choice("overlap", overlap, OVERLAPS)
    present = image_labels > 0
    if selection == "naive":
        return present
    if selection == "predefined":
        return present & ~_as_mask(background_classes, present)
    positive = (probabilities.detach()[:, :-1] > 0.5).to(probabilities.dtype).flatten(2)
    salient = (saliency > 0.5).to(probabilities.dtype).flatten(1)
    count = positive.sum(2)
    if overlap == "official":
        count = count + POSITION_EPSILON * positive.shape[2]
    shared = (positive * salient[:, None]).sum(2)
    # Nothing is divided: without a position there is no overlap to compare.
    return present & (shared > overlap_threshold * count)


def saliency_estimate(
    probabilities: Tensor, selected: Tensor, image_labels: Tensor, *, lambda_: float
) -> SaliencyEstimate:
    """Return the saliency that the maps themselves show (eps eq. 1 and 2).

    The foreground is the sum of the selected classes; the background its own map and the image's
    other classes. Classes that the image does not have are in neither.

    Args:
        probabilities: (B, K, h, w) in 0..1, background last.
        selected: bool (B, C), see `selected_classes`.
        image_labels: (B, C).
        lambda_: weight of the foreground in the blend, in 0..1; the rest is that of
            1 - background (eps: 0.5; official on COCO: 0.9).
    """
    others = (image_labels > 0) & ~selected
    classes = probabilities[:, :-1]
    foreground = (classes * selected[:, :, None, None]).sum(1)
    not_background = 1 - probabilities[:, -1] - (classes * others[:, :, None, None]).sum(1)
    blend = lambda_ * foreground + (1 - lambda_) * not_background
    return SaliencyEstimate(foreground, not_background, blend)


def saliency_loss(
    score_maps: Tensor,
    saliency: Tensor,
    image_labels: Tensor,
    *,
    lambda_: float,
    selection: str,
    overlap: str,
    overlap_threshold: float,
    background_classes: Sequence[int],
) -> Tensor:
    """Return the mean squared difference of saliency and its estimate, a scalar (eps eq. 3).

    Probabilities are the softmax over classes and background. The saliency comes to the size of the
    maps by nearest neighbours and stays soft, as in the official code.

    Args:
        score_maps: (B, K, h, w).
        saliency: (B, H, W), of any size.
        image_labels: (B, C).
        lambda_: see `saliency_estimate`.
        selection: see `selected_classes`, as the others.
        overlap: likewise.
        overlap_threshold: likewise.
        background_classes: likewise.

    Raises:
        ValueError: Shapes do not fit, a name is unknown, or a background class is none.
    """
    _check_shapes(score_maps, saliency, image_labels)
    probabilities = score_maps.softmax(1)
    small = resized_saliency(saliency, score_maps)
    selected = selected_classes(
        probabilities,
        small,
        image_labels,
        selection=selection,
        overlap=overlap,
        overlap_threshold=overlap_threshold,
        background_classes=background_classes,
    )
    estimate = saliency_estimate(probabilities, selected, image_labels, lambda_=lambda_)
    return (small - estimate.blend).square().mean()


def eps_terms(
    score_maps: Tensor,
    saliency: Tensor,
    image_labels: Tensor,
    *,
    lambda_: float,
    selection: str,
    overlap: str,
    overlap_threshold: float,
    background_classes: Sequence[int],
) -> dict[str, Tensor]:
    """Return EPS's terms, classification and saliency, as scalars with gradient.

    The loss is their sum (eps sec. 3.3). The classification does not see the background (eq. 4).
    Arguments and errors are those of `saliency_loss`.
    """
    _check_shapes(score_maps, saliency, image_labels)
    saliency_term = saliency_loss(
        score_maps,
        saliency,
        image_labels,
        lambda_=lambda_,
        selection=selection,
        overlap=overlap,
        overlap_threshold=overlap_threshold,
        background_classes=background_classes,
    )
    pooled = score_maps[:, :-1].mean((2, 3))
    return {
        "classification": classification_loss(pooled, image_labels),
        "saliency": saliency_term,
    }


def resized_saliency(saliency: Tensor, score_maps: Tensor) -> Tensor:
    """Return a saliency (B, H, W) at the size and of the type of score maps, (B, h, w)."""
    small = F.interpolate(saliency[:, None].to(score_maps.dtype), score_maps.shape[2:])
    return small[:, 0]


def _as_mask(class_ids: Sequence[int], present: Tensor) -> Tensor:
    """Return bool (C,), true for these classes."""
    num_classes = present.shape[1]
    unknown = [number for number in class_ids if not 0 <= number < num_classes]
    if unknown:
        raise ValueError(
            f"background classes {unknown} are not among the {num_classes} classes: give class ids "
            "from 0"
        )
    chosen = torch.zeros(num_classes, dtype=torch.bool)
    chosen[list(class_ids)] = True
    return chosen.to(present.device)


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(known)}")


def _check_shapes(score_maps: Tensor, saliency: Tensor, image_labels: Tensor) -> None:
    scores, salient, labels = (tuple(t.shape) for t in (score_maps, saliency, image_labels))
    fits = len(scores) == 4 and labels == (scores[0], scores[1] - 1)
    if not fits or len(salient) != 3 or salient[0] != scores[0]:
        raise ValueError(
            f"score maps {scores}, saliency {salient} and image labels {labels} do not fit: give "
            "(B, C + 1, h, w) with the background last, (B, H, W) and (B, C)"
        )
