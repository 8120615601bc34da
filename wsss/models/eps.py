"""EPS: a classifier with one more output, for the background (Lee et al. 2021; eps sec. 3)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone, build_backbone
from wsss.models.classifier import Classifier, check_num_classes
from wsss.models.official_weights import classifier_from_official


class EpsClassifier(Classifier):
    """A classifier with a background output beside its head.

    `score_maps`, `forward` and all localizers see the plain classifier of C classes. Where the
    background counts it is the last of K = C + 1 outputs, as in the paper and the official code.
    """

    network = "eps"

    def __init__(self, backbone: Backbone, num_classes: int) -> None:
        """Build the head for `num_classes` foreground classes and the background's."""
        super().__init__(backbone, num_classes)
        self.background = nn.Conv2d(backbone.stage_channels[-1], 1, 1, bias=False)
        for head in (self.head, self.background):
            nn.init.xavier_uniform_(head.weight)

    def all_score_maps(self, x: Tensor) -> Tensor:
        """Return the raw scores (B, K, h, w) of a normalised batch, background last."""
        return self.maps_of_features(self.features(x))

    def maps_of_features(self, features: Tensor) -> Tensor:
        """Return the raw scores (B, K, h, w) of the last stage's features, background last."""
        return torch.cat([self.head(features), self.background(features)], dim=1)

    def probability_maps(self, x: Tensor) -> Tensor:
        """Return the softmax over classes and background (B, K, h, w), background last."""
        return self.all_score_maps(x).softmax(1)


def build_classifier(backbone: str, *, num_classes: int) -> EpsClassifier:
    """Return an EPS classifier with random weights on the backbone of this name.

    Raises:
        ValueError: No backbone has this name, or there is no class.
    """
    check_num_classes(num_classes)
    return EpsClassifier(build_backbone(backbone), num_classes)


def eps_from_official(state: Mapping[str, Tensor], *, num_classes: int) -> dict[str, Tensor]:
    """Return a checkpoint of EPS's code under the names of an `EpsClassifier`.

    It is on Wide ResNet-38; the last row of its head is the background's.

    Args:
        state: of the file.
        num_classes: foreground classes (C).

    Raises:
        ValueError: The file is of another network, has no background, or a tensor is missing or of
            another shape.
    """
    plain = classifier_from_official(state, num_classes=num_classes)
    bare = {official.removeprefix("module."): tensor for official, tensor in state.items()}
    head = bare.get("fc8.weight")
    if head is None or len(head) != num_classes + 1 or "f9.weight" in bare:
        raise ValueError(
            "the file is of a class-map network without EPS's background output, the last of "
            f"{num_classes + 1} rows of 'fc8.weight': give a file of EPS, or take it for a plain "
            "classifier"
        )
    return plain.tensors | {"background.weight": head[num_classes:]}
