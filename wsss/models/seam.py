"""SEAM: a classifier whose maps are refined by the similarity of positions (Wang et al. 2020)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone, build_backbone
from wsss.models.classifier import Classifier, check_num_classes
from wsss.models.official_weights import CORRELATION, classifier_from_official

EPSILON = 1e-5
# Zero-based stages whose features tell positions apart: what the official code calls conv4, conv5.
LOWER_STAGE, UPPER_STAGE = 2, 3
LOWER_CHANNELS, UPPER_CHANNELS = 64, 128
# Similarities held at once (64 MiB in float32): their number grows with the square of a map's.
SIMILARITIES_PER_PASS = 2**24


class SeamMaps(NamedTuple):
    """Raw scores (B, C, h, w) of the classes, and refined maps (B, K, h, w), background first."""

    scores: Tensor
    refined: Tensor


class PixelCorrelation(nn.Module):
    """Spreads maps over positions of similar features, SEAM's pixel correlation module.

    A position's features are the image's colours and two reduced stages, joined by a 1x1
    convolution. Layers have the official code's names and widths, for every backbone.
    """

    def __init__(self, lower_channels: int, upper_channels: int) -> None:
        """Build the module on two stages with this many channels."""
        super().__init__()
        joined = LOWER_CHANNELS + UPPER_CHANNELS
        self.f8_3 = nn.Conv2d(lower_channels, LOWER_CHANNELS, 1, bias=False)
        self.f8_4 = nn.Conv2d(upper_channels, UPPER_CHANNELS, 1, bias=False)
        self.f9 = nn.Conv2d(joined + 3, joined, 1, bias=False)
        nn.init.kaiming_normal_(self.f8_3.weight)
        nn.init.kaiming_normal_(self.f8_4.weight)
        nn.init.xavier_uniform_(self.f9.weight, gain=4)

    def forward(self, maps: Tensor, images: Tensor, *, lower: Tensor, upper: Tensor) -> Tensor:
        """Return the refined maps (B, K, h, w), see `spread`.

        Args:
            maps: float (B, K, h, w).
            images: normalised batch (B, 3, H, W).
            lower: features (B, D, h', w') of a lower stage.
            upper: features of an upper stage. What is not h x w is resized (bilinear, corners
                aligned), as the image; with the official network only the image has to be.
        """
        parts = [images, torch.relu(self.f8_3(lower)), torch.relu(self.f8_4(upper))]
        joined = torch.cat([resized(part, maps.shape[2:]) for part in parts], dim=1)
        return spread(maps, self.f9(joined))


class SeamClassifier(Classifier):
    """A classifier with pixel correlation.

    `score_maps`, `forward` and all localizers see the plain classifier. The official head has one
    more row, for the background; nothing ever reads or trains it, so it is left out: the
    background of the refined maps is made of the classes'.
    """

    network = "seam"

    def __init__(self, backbone: Backbone, num_classes: int, *, head_dropout: float) -> None:
        """Build the head and the correlation.

        Args:
            backbone: its third and fourth stage tell positions apart.
            num_classes: foreground classes (C).
            head_dropout: probability with which `seam_maps` drops a whole channel before the head
                in training (official 0.5).
        """
        super().__init__(backbone, num_classes)
        nn.init.xavier_uniform_(self.head.weight)
        channels = backbone.stage_channels
        self.correlation = PixelCorrelation(channels[LOWER_STAGE], channels[UPPER_STAGE])
        self.dropout = nn.Dropout2d(head_dropout)

    def network_options(self) -> dict[str, object]:
        """Return the options beside backbone and classes with which `build_network` built this."""
        return {"head_dropout": self.dropout.p}

    def seam_maps(self, x: Tensor) -> SeamMaps:
        """Return raw and refined maps of a normalised batch (B, 3, H, W), at the features' size."""
        return self.maps_of_stages(x, self.backbone.stages(x))

    def maps_of_stages(self, x: Tensor, stages: Sequence[Tensor]) -> SeamMaps:
        """Return raw and refined maps of a normalised batch from its stages' features.

        No gradient leaves the correlation: only its own layers learn from the refined maps.
        """
        scores = self.head(self.dropout(stages[-1]))
        refined = self.correlation(
            competing_maps(scores),
            x,
            lower=stages[LOWER_STAGE].detach(),
            upper=stages[UPPER_STAGE].detach(),
        )
        return SeamMaps(scores, refined)


def build_classifier(backbone: str, *, num_classes: int, head_dropout: float) -> SeamClassifier:
    """Return a SEAM classifier with random weights on the backbone of this name.

    Raises:
        ValueError: No backbone has this name, there is no class, or the dropout is not in 0..1.
    """
    check_num_classes(num_classes)
    if not 0 <= head_dropout <= 1:
        raise ValueError(f"the head's dropout is a probability in 0..1, got {head_dropout}")
    return SeamClassifier(build_backbone(backbone), num_classes, head_dropout=head_dropout)


def competing_maps(scores: Tensor) -> Tensor:
    """Return what is spread (B, K, h, w), in 0..1, without gradient, from raw scores (B, C, h, w).

    Rectified scores less 1e-5 are divided by their class's (maximum + 1e-5). Background, the first
    map, is 1 - the largest class; per position only the largest class stays, and equals of it. All
    classes take part, also those that the image does not have.
    """
    rectified = scores.detach().relu()
    highest = rectified.amax((2, 3), keepdim=True) + EPSILON
    foreground = (rectified - EPSILON).relu() / highest
    largest = foreground.amax(1, keepdim=True)
    return torch.cat([1 - largest, foreground.where(foreground == largest, 0.0)], dim=1)


def spread(maps: Tensor, features: Tensor) -> Tensor:
    """Return maps (B, K, h, w), each position's a mean of all, weighted by similarity.

    The similarity of two positions is the rectified cosine of their features (B, D, h, w); a
    position's mean is over all positions, divided by (the sum of its similarities + 1e-5).
    Similarities are made for a part of the positions at once, which changes the memory and not the
    result.
    """
    flat = features.flatten(2)
    flat = flat / (flat.norm(dim=1, keepdim=True) + EPSILON)
    sources = maps.flatten(2)
    positions = max(1, SIMILARITIES_PER_PASS // (flat.shape[0] * flat.shape[2]))
    means = []
    for part in flat.split(positions, dim=2):
        similarity = torch.relu(flat.transpose(1, 2) @ part)
        means.append(sources @ similarity / (similarity.sum(1, keepdim=True) + EPSILON))
    return torch.cat(means, dim=2).view_as(maps)


def resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps (B, K, h, w) at another size, bilinear with corners aligned."""
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=True)


def seam_from_official(state: Mapping[str, Tensor], *, num_classes: int) -> dict[str, Tensor]:
    """Return a checkpoint of SEAM's or HFPL's code under the names of a `SeamClassifier`.

    It is on Wide ResNet-38; the first row of its head, the background's, is left out.

    Args:
        state: of the file.
        num_classes: foreground classes (C).

    Raises:
        ValueError: The file is of another network, or a tensor is missing or of another shape.
    """
    bare = {official.removeprefix("module."): tensor for official, tensor in state.items()}
    if not CORRELATION.keys() & bare.keys():
        raise ValueError(
            f"the file lacks SEAM's pixel correlation ({', '.join(CORRELATION)}): give a file of "
            "SEAM or HFPL, or take it for a plain classifier"
        )
    plain = classifier_from_official(state, num_classes=num_classes)
    return plain.tensors | {f"correlation.{name}": bare[name] for name in CORRELATION}
