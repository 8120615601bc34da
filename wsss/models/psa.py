"""AffinityNet of PSA (Ahn and Kwak 2018) on any backbone: near features have a high affinity."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

from wsss.models.backbones.backbone import Backbone
from wsss.models.classifier import thawed_parameters

# Of the official layers on the stages 3, 4 and 5.
WIDTHS = (64, 128, 256)
# The official network on VGG-16 has as many channels in each group.
GROUP_CHANNELS = 8
JOINED_GAIN = 4.0
DISTANCES = ("mean", "sum")


class AffinityNet(nn.Module):
    """Features of the last three stages, reduced, joined and mixed by 1x1 convolutions.

    They have `stride` pixels per cell, that of stage 3, to which coarser stages are enlarged: 8 as
    in the official networks, whose last three stages all have it, and 4 on the backbone `compact`.
    (With the stride of the last stage, a ResNet-50 would have cells of 16 pixels.) Layers have the
    official names and widths; narrower stages get narrower layers. On VGG-16 the official network
    joins conv4, conv5 and fc7, of which our backbone has no counterpart.

    Batch normalisation of the backbone rests, its scale and shift too, as in the official code. The
    official network starts from ImageNet weights, here from any backbone.
    """

    def __init__(self, backbone: Backbone, *, distance: str, group_norm: bool) -> None:
        """Build the layers with random weights.

        Args:
            backbone: With the weights to start from.
            distance: Of two features: `mean` of their absolute differences over the channels
                (official code), or their `sum`, the L1 norm (paper; dissertation eq. 2.5).
            group_norm: Whether the reduced features are normalised in groups of 8 channels: the
                official network on VGG-16 does so, the one on Wide ResNet-38 does not.

        Raises:
            ValueError: The distance is unknown.
        """
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f"unknown distance {distance!r}: choose one of {', '.join(DISTANCES)}")
        self.backbone = backbone
        self.distance = distance
        self.stride = backbone.stage_strides[2]
        self.factors = [stride // self.stride for stride in backbone.stage_strides[2:]]
        channels = backbone.stage_channels[2:]
        limits = zip(channels, WIDTHS, strict=True)
        widths = [min(-(-c // GROUP_CHANNELS) * GROUP_CHANNELS, limit) for c, limit in limits]
        self.f8_3, self.f8_4, self.f8_5 = (
            nn.Conv2d(c, width, 1, bias=False) for c, width in zip(channels, widths, strict=True)
        )
        self.gn8_3, self.gn8_4, self.gn8_5 = (
            nn.GroupNorm(width // GROUP_CHANNELS, width) if group_norm else nn.Identity()
            for width in widths
        )
        self.f9 = nn.Conv2d(sum(widths), sum(widths), 1, bias=False)
        for layer in (self.f8_3, self.f8_4, self.f8_5):
            nn.init.kaiming_normal_(layer.weight)
        nn.init.xavier_uniform_(self.f9.weight, gain=JOINED_GAIN)

    def normalize(self, images: Tensor) -> Tensor:
        """Return RGB images (B, 3, H, W) on the backbone's scale, see `Backbone.normalize`."""
        return self.backbone.normalize(images)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (B, D, h, w) of a normalised batch (B, 3, H, W).

        h = ceil(H / stride).
        """
        stages = self.backbone.stages(x)[2:]
        height, width = stages[0].shape[2:]
        layers = ((self.f8_3, self.gn8_3), (self.f8_4, self.gn8_4), (self.f8_5, self.gn8_5))
        reduced = []
        for (reduce, norm), stage, factor in zip(layers, stages, self.factors, strict=True):
            features = F.elu(norm(reduce(stage)))
            if factor > 1:
                features = F.interpolate(features, scale_factor=factor, mode="bilinear")
            # Enlarged, the last cell of an odd side reaches beyond the grid.
            reduced.append(features[..., :height, :width])
        return F.elu(self.f9(torch.cat(reduced, dim=1)))

    def affinities(self, features: Tensor, offsets: np.ndarray) -> Tensor:
        """Return exp(-distance) of pairs of cells (dissertation eq. 2.5), in 0..1.

        Memory is linear in the pairs, whatever the number of channels: differences are computed
        one offset at a time, and again for the gradient.

        Args:
            features: Features (B, D, h, w) of `forward`.
            offsets: Ways (pairs, 2), (dy, dx), dy >= 0, from a cell to its partner.

        Returns:
            Affinities (B, pairs, rows, columns) from the cells that have all their partners on the
            map: the rows from 0, the columns from the largest offset on.

        Raises:
            ValueError: There is no such cell.
        """
        reach = int(np.abs(offsets).max())
        height, width = features.shape[2:]
        if height <= reach or width <= 2 * reach:
            raise ValueError(
                f"features of {height} x {width} cells are too small for pairs within radius "
                f"{reach + 1}: lower the radius or raise the crop size"
            )
        sums = _Differences.apply(features.float(), offsets.tolist(), reach)
        return torch.exp(-sums / features.shape[1] if self.distance == "mean" else -sums)


class _Differences(torch.autograd.Function):
    """Sums over the channels of |f_i - f_j|, of which nothing is kept for the gradient but f."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, offsets: list[list[int]], reach: int) -> Tensor:
        """Return the sums (B, pairs, rows, columns)."""
        ctx.save_for_backward(features)
        ctx.offsets, ctx.reach = offsets, reach  # type: ignore[attr-defined]
        source = _window(features, (0, 0), reach)
        sums = [(_window(features, way, reach) - source).abs_().sum(1) for way in offsets]
        return torch.stack(sums, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the features."""
        (features,) = ctx.saved_tensors  # type: ignore[attr-defined]
        offsets, reach = ctx.offsets, ctx.reach  # type: ignore[attr-defined]
        source, total = _window(features, (0, 0), reach), torch.zeros_like(features)
        for number, way in enumerate(offsets):
            part = (_window(features, way, reach) - source).sign_()
            part *= gradient[:, number, None]
            _window(total, way, reach).add_(part)
            _window(total, (0, 0), reach).sub_(part)
        return total, None, None


def _window(maps: Tensor, way: tuple[int, int] | list[int], reach: int) -> Tensor:
    """Return the partners of all cells that have all partners, one way on, as a view."""
    dy, dx = way
    rows, columns = maps.shape[2] - reach, maps.shape[3] - 2 * reach
    return maps[:, :, dy : dy + rows, reach + dx : reach + dx + columns]


def trainable_parameters(network: AffinityNet, *, frozen_stages: int) -> dict[str, list]:
    """Return the parameters to train, as {"backbone": [...], "head": [...]}, and freeze the others.

    The official code trains the new layers with ten times the learning rate of the backbone, of
    which it leaves out the batch normalisation and the first layers: of Wide ResNet-38 one stage,
    of VGG-16 two.

    Args:
        network: The network; parameters that rest get `requires_grad=False`.
        frozen_stages: How many of the five stages rest.

    Raises:
        ValueError: `frozen_stages` is not in 0..5.
    """
    thawed = thawed_parameters(network.backbone, frozen_stages=frozen_stages)
    modules = network.backbone.modules()
    norms = [m for m in modules if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    resting = {p for norm in norms for p in norm.parameters()}
    for parameter in resting:
        parameter.requires_grad_(False)
    return {
        "backbone": [p for p in thawed if p not in resting],
        "head": [p for name, p in network.named_parameters() if not name.startswith("backbone.")],
    }


@torch.inference_mode()
def affinity_maps(
    network: AffinityNet, images: np.ndarray, offsets: np.ndarray
) -> list[np.ndarray]:
    """Return each image's affinities of near cells.

    Normalised images are filled up with zeros to a multiple of the stride, as in the official code.

    Args:
        network: The network, in evaluation mode.
        images: RGB (B, H, W, 3) uint8.
        offsets: Ways (pairs, 2), (dy, dx), dy >= 0, from a cell to its partner.

    Returns:
        Per image float32 affinities (pairs, h, w) in 0..1, of all cells to their partners; 0 where
        the partner is outside; h = ceil(H / network.stride).

    Raises:
        ValueError: The images are no uint8 batch, or the network is in training mode.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"expected uint8 images (B, H, W, 3), got {images.dtype} {images.shape}")
    if network.training:
        raise ValueError("the affinity network is in training mode: call network.eval() first")
    height, width = images.shape[1:3]
    pixels = torch.from_numpy(images).to(network.f9.weight.device).permute(0, 3, 1, 2)
    x = network.normalize(pixels)
    x = F.pad(x, (0, -width % network.stride, 0, -height % network.stride))
    reach = int(np.abs(offsets).max())
    # At an infinite distance, what is outside has affinity zero.
    features = F.pad(network(x).float(), (reach, reach, 0, reach), value=float("inf"))
    return list(network.affinities(features, offsets).cpu().numpy())
