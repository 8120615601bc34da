"""The multi-label image classifier whose class scores are also its localization maps."""

from typing import ClassVar

from torch import Tensor, nn

from wsss.models.backbones.backbone import STAGES, Backbone, build_backbone


class Classifier(nn.Module):
    """A backbone, mean pooling over positions and a linear head without bias, as a 1x1 convolution.

    The pooled score is the mean of the score map (Zhou et al. 2016), so `forward` and `score_maps`
    agree: `forward(x) == score_maps(x).mean((2, 3))`.

    A child names the file of `wsss.models` that builds it. Its head may look at more than one
    position, so whoever has features asks `logits_of`, and takes `head` for score maps alone.
    """

    network: ClassVar[str] = "classifier"

    def __init__(self, backbone: Backbone, num_classes: int) -> None:
        """Build the head for `num_classes` foreground classes."""
        super().__init__()
        self.backbone = backbone
        self.head = nn.Conv2d(backbone.stage_channels[-1], num_classes, 1, bias=False)

    def network_options(self) -> dict[str, object]:
        """Return the options beside backbone and classes with which `build_network` built this."""
        return {}

    def normalize(self, images: Tensor) -> Tensor:
        """Return RGB images (B, 3, H, W) on the backbone's scale, see `Backbone.normalize`."""
        return self.backbone.normalize(images)

    def features(self, x: Tensor) -> Tensor:
        """Return the last stage's features (B, D, h, w) of a normalised batch (B, 3, H, W)."""
        return self.backbone(x)

    def pooled_features(self, x: Tensor) -> Tensor:
        """Return the features' mean over positions (B, D) of a normalised batch."""
        return self.features(x).mean((2, 3))

    def score_maps(self, x: Tensor) -> Tensor:
        """Return the raw class scores per position (B, C, h, w) of a normalised batch."""
        return self.head(self.features(x))

    def logits_of(self, features: Tensor) -> Tensor:
        """Return the logits (B, C) of the last stage's features (B, D, h, w).

        The mean of the score map, which here is the head's score of the mean features.
        """
        return self.head(features.mean((2, 3))[:, :, None, None])[:, :, 0, 0]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, C) of a normalised batch."""
        return self.logits_of(self.features(x))


def build_classifier(backbone: str, *, num_classes: int) -> Classifier:
    """Return a classifier with random weights on the backbone of this name.

    Raises:
        ValueError: No backbone has this name, or there is no class.
    """
    check_num_classes(num_classes)
    return Classifier(build_backbone(backbone), num_classes)


def check_num_classes(num_classes: int) -> None:
    """Check that there is something to classify.

    Raises:
        ValueError: There is no class.
    """
    if num_classes < 1:
        raise ValueError(f"a classifier needs at least one class, got num_classes={num_classes}")


def set_batch_norm_frozen(module: nn.Module) -> None:
    """Keep batch normalisation of every backbone in `module` on its running statistics for good.

    Also `module.train()` leaves it so. Scale and shift still learn, as in the official IRN, AdvCAM
    and W-OoD code; in frozen stages they rest.

    Raises:
        ValueError: `module` has no backbone.
    """
    backbones = [part for part in module.modules() if isinstance(part, Backbone)]
    if not backbones:
        raise ValueError(
            f"{type(module).__name__} has no backbone whose batch norm could be frozen"
        )
    for backbone in backbones:
        backbone.batch_norm_frozen = True
        backbone.train(backbone.training)


def trainable_parameters(
    classifier: Classifier, *, frozen_stages: int
) -> dict[str, list[nn.Parameter]]:
    """Return the parameters to train, as {"backbone": [...], "head": [...]}, and freeze the others.

    The head is all that is not the backbone: a child's further layers learn at its rate.

    The first `frozen_stages` of the five stages get `requires_grad=False`, so no gradient is
    computed for them. 3 is what the official code does: IRN cuts the gradient after ResNet-50's
    layer2, W-OoD hands only layer3, layer4 and the head to the optimiser. The official learning
    rate of the head is ten times that of the backbone.

    Raises:
        ValueError: `frozen_stages` is not in 0..5.
    """
    thawed = thawed_parameters(classifier.backbone, frozen_stages=frozen_stages)
    inside = {id(parameter) for parameter in classifier.backbone.parameters()}
    head = [parameter for parameter in classifier.parameters() if id(parameter) not in inside]
    return {"backbone": thawed, "head": head}


def thawed_parameters(backbone: Backbone, *, frozen_stages: int) -> list[nn.Parameter]:
    """Return the parameters of the stages behind the first `frozen_stages`, and freeze the others.

    Raises:
        ValueError: `frozen_stages` is not in 0..5.
    """
    if not 0 <= frozen_stages <= STAGES:
        raise ValueError(f"frozen_stages must be in 0..{STAGES}, got {frozen_stages}")
    thawed: list[nn.Parameter] = []
    for number, modules in enumerate(backbone.stage_modules()):
        for parameter in (p for module in modules for p in module.parameters()):
            parameter.requires_grad_(number >= frozen_stages)
            if number >= frozen_stages:
                thawed.append(parameter)
    return thawed
