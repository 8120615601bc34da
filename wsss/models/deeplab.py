"""DeepLab-v2: atrous spatial pyramid pooling on a backbone, at several input scales."""

from collections.abc import Sequence
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone, build_backbone
from wsss.models.classifier import set_batch_norm_frozen

NETWORKS = ("deeplab_v2",)


class AtrousPyramid(nn.Module):
    """Sum of dilated 3x3 convolutions with bias (DeepLab-v2 sec. 3.2: ASPP with large rates)."""

    def __init__(self, channels: int, num_classes: int, atrous_rates: Sequence[int]) -> None:
        """Build one branch per rate; weights start from N(0, 0.01), biases from 0."""
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, num_classes, 3, padding=rate, dilation=rate)
            for rate in atrous_rates
        )
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.01)
            else:
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, K, h, w) of features (B, D, h, w)."""
        return sum((branch(x) for branch in self.branches[1:]), self.branches[0](x))


class DeepLabV2(nn.Module):
    """A backbone and the pyramid head on its last stage; logits have the backbone's stride."""

    def __init__(
        self, backbone: Backbone, *, num_classes: int, atrous_rates: Sequence[int]
    ) -> None:
        """Build the head for `num_classes` classes, background included."""
        super().__init__()
        self.num_classes = num_classes
        self.backbone = backbone
        self.head = AtrousPyramid(backbone.stage_channels[-1], num_classes, atrous_rates)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, K, h, w) of a normalised batch (B, 3, H, W)."""
        return self.head(self.backbone(x))


class MultiScale(nn.Module):
    """A network applied to the image at several scales, its logits joined by their maximum.

    The image is resized bilinearly (corners not aligned), the logits likewise to the size of the
    full-scale ones. Scale 1 always comes first and is not listed in `scales`.
    """

    def __init__(self, base: DeepLabV2, scales: Sequence[float]) -> None:
        """Wrap `base`; `scales` are the further ones, (0.5, 0.75) in DeepLab-v2."""
        super().__init__()
        self.base = base
        self.scales = tuple(scales)

    def normalize(self, images: Tensor) -> Tensor:
        """Return RGB images (B, 3, H, W) on the backbone's scale, see `Backbone.normalize`."""
        return self.base.backbone.normalize(images)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Return the logits of a normalised batch (B, 3, H, W).

        Returns:
            In evaluation the pixel-wise maximum (B, K, h, w) over all scales. In training a list:
            the logits of scale 1, those of each further scale at their own size, the maximum.
        """
        full = self.base(x)
        smaller = [self.base(_resized(x, scale)) for scale in self.scales]
        size = full.shape[-2:]
        upsampled = (
            F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
            for logits in smaller
        )
        largest = reduce(torch.maximum, upsampled, full)
        return [full, *smaller, largest] if self.training else largest


def build_segmenter(
    network: str,
    backbone: str,
    *,
    num_classes: int,
    atrous_rates: Sequence[int],
    scales: Sequence[float],
) -> MultiScale:
    """Return a segmentation network with random weights.

    Args:
        network: "deeplab_v2".
        backbone: a name of wsss/models/backbones.
        num_classes: classes with background (K), at least 2.
        atrous_rates: dilation of each branch of the head, in features.
        scales: input scales from 0 to 1, besides 1 itself; empty for a plain network.

    Raises:
        KeyError: the network is unknown.
        ValueError: the backbone is unknown, or an option is out of range.
    """
    if network not in NETWORKS:
        raise KeyError(f"unknown segmentation network {network!r}; known: {', '.join(NETWORKS)}")
    if num_classes < 2:
        raise ValueError(
            f"num_classes is {num_classes}; a segmenter needs the background and one class or more"
        )
    if not atrous_rates or min(atrous_rates) < 1:
        raise ValueError(f"atrous_rates must be one or more positive integers, not {atrous_rates}")
    if not all(0 < scale < 1 for scale in scales):
        raise ValueError(f"scales besides 1 must lie between 0 and 1, not {tuple(scales)}")
    base = DeepLabV2(build_backbone(backbone), num_classes=num_classes, atrous_rates=atrous_rates)
    return MultiScale(base, scales)


def parameter_groups(
    segmenter: MultiScale, *, batch_norm: str, head_multiplier: float, weight_decay: float
) -> list[dict]:
    """Return the parameters to train as groups for an optimiser, and freeze the others.

    As in kazuto1011/deeplab-pytorch: the backbone at the scheduled learning rate, the head's
    weights at head_multiplier times and its biases at twice that, the biases without decay.

    Args:
        segmenter: its batch normalisation is switched accordingly.
        batch_norm: "frozen" keeps running statistics, scale and shift as they are, the official
            way, for pre-trained backbones; "train" trains all of it, for backbones from scratch.
        head_multiplier: 10 in the official code.
        weight_decay: of everything but the head's biases.

    Returns:
        Groups with `params`, `multiplier` (factor on the scheduled learning rate) and
        `weight_decay`.

    Raises:
        KeyError: another word for batch_norm.
    """
    if batch_norm == "frozen":
        set_batch_norm_frozen(segmenter)
        for module in segmenter.base.backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.requires_grad_(False)
    elif batch_norm != "train":
        raise KeyError(f"batch_norm is {batch_norm!r}; known: frozen, train")
    head = segmenter.base.head
    trained = [p for p in segmenter.base.backbone.parameters() if p.requires_grad]
    weights = [branch.weight for branch in head.branches]
    biases = [branch.bias for branch in head.branches]
    return [
        {"params": trained, "multiplier": 1.0, "weight_decay": weight_decay},
        {"params": weights, "multiplier": head_multiplier, "weight_decay": weight_decay},
        {"params": biases, "multiplier": 2 * head_multiplier, "weight_decay": 0.0},
    ]


def _resized(x: Tensor, scale: float) -> Tensor:
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
