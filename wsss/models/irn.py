"""The boundary and displacement network of IRN (Ahn et al. 2019) on any backbone."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss.models.backbones.backbone import Backbone

SMALLEST_STRIDE = 4
EDGE_WIDTH = 32
# Widths and group counts of the official displacement branch for the stages 1 to 5.
DISPLACEMENT_WIDTHS = (64, 128, 256, 256, 256)
DISPLACEMENT_GROUPS = (8, 16, 16, 16, 16)


class MeanShift(nn.Module):
    """Subtracts a stored mean from the displacements, in evaluation only."""

    running_mean: Tensor

    def __init__(self) -> None:
        """Start from a mean of zero."""
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(2))

    def forward(self, displacement: Tensor) -> Tensor:
        """Return displacements (B, 2, h, w), in evaluation less their mean over a training set."""
        if self.training:
            return displacement
        return displacement - self.running_mean[:, None, None]


class IRNet(nn.Module):
    """Boundary and displacement branches on the five stages of a backbone that does not learn.

    Both outputs have `stride` pixels per cell: that of stage 2, but never below 4, so that a
    random walk costs the same on every backbone. Stages of a finer grid are averaged down to it,
    coarser ones enlarged. With ResNet-50 layers, widths and groups are the official ones; narrower
    stages get narrower displacement layers, with at least 8 channels per group. Tensor names are
    the official ones too, with `backbone.` in the place of `resnet50.`.

    The backbone runs in evaluation mode and without gradients, whatever the mode of the network.
    """

    def __init__(self, backbone: Backbone) -> None:
        """Build the branches with random weights."""
        super().__init__()
        self.backbone = backbone
        channels, strides = backbone.stage_channels, backbone.stage_strides
        self.stride = max(SMALLEST_STRIDE, strides[1])
        middle = max(self.stride, strides[2])
        limits = zip(channels, DISPLACEMENT_WIDTHS, strict=True)
        widths = [min(-(-c // 8) * 8, limit) for c, limit in limits]

        edges = [
            _branch(c, EDGE_WIDTH, 4, s, self.stride)
            for c, s in zip(channels, strides, strict=True)
        ]
        self.fc_edge1, self.fc_edge2, self.fc_edge3, self.fc_edge4, self.fc_edge5 = edges
        self.fc_edge6 = nn.Conv2d(5 * EDGE_WIDTH, 1, 1, bias=True)

        targets = (self.stride, self.stride, middle, middle, middle)
        parts = zip(channels, widths, DISPLACEMENT_GROUPS, strides, targets, strict=True)
        self.fc_dp1, self.fc_dp2, self.fc_dp3, self.fc_dp4, self.fc_dp5 = (
            _branch(*part) for part in parts
        )
        wide = widths[-1]
        self.fc_dp6 = _branch(sum(widths[2:]), wide, 16, middle, self.stride)
        self.fc_dp7 = nn.Sequential(
            *_branch(sum(widths[:2]) + wide, wide, 16, self.stride, self.stride),
            nn.Conv2d(wide, 2, 1, bias=False),
        )
        self.mean_shift = MeanShift()

    def train(self, mode: bool = True) -> "IRNet":
        """Set the training mode of the branches; the backbone stays in evaluation mode."""
        super().train(mode)
        self.backbone.eval()
        return self

    def normalize(self, images: Tensor) -> Tensor:
        """Return RGB images (B, 3, H, W) on the backbone's scale, see `Backbone.normalize`."""
        return self.backbone.normalize(images)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return boundary scores and displacements of a normalised batch (B, 3, H, W).

        Returns:
            Boundary scores (B, 1, h, w) before the sigmoid, and displacements (B, 2, h, w) in
            cells, (dy, dx) to the centre of the object; h = ceil(H / stride).
        """
        stages, (height, width) = self._stages(x), self._grid(x)
        layers = (self.fc_dp1, self.fc_dp2, self.fc_dp3, self.fc_dp4, self.fc_dp5)
        moves = [layer(s) for layer, s in zip(layers, stages, strict=True)]
        coarse = self.fc_dp6(_join(moves[2:], *moves[2].shape[2:]))
        displacement = self.fc_dp7(_join([*moves[:2], coarse], height, width))
        return self._boundary(stages, height, width), self.mean_shift(displacement)

    def boundary_scores(self, x: Tensor) -> Tensor:
        """Return the boundary scores (B, 1, h, w) of `forward` without the displacements."""
        return self._boundary(self._stages(x), *self._grid(x))

    def _stages(self, x: Tensor) -> list[Tensor]:
        with torch.no_grad():
            return self.backbone.stages(x)

    def _grid(self, x: Tensor) -> tuple[int, int]:
        return -(-x.shape[2] // self.stride), -(-x.shape[3] // self.stride)

    def _boundary(self, stages: Sequence[Tensor], height: int, width: int) -> Tensor:
        layers = (self.fc_edge1, self.fc_edge2, self.fc_edge3, self.fc_edge4, self.fc_edge5)
        edges = [layer(s) for layer, s in zip(layers, stages, strict=True)]
        return self.fc_edge6(_join(edges, height, width))


def _branch(channels: int, width: int, groups: int, stride: int, target: int) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, 1, bias=False),
        nn.GroupNorm(min(groups, width // 8), width),
    ]
    if stride > target:
        factor = stride // target
        layers.append(nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=False))
    if stride < target:
        layers.append(nn.AvgPool2d(target // stride, ceil_mode=True))
    return nn.Sequential(*layers, nn.ReLU())


def _join(maps: Sequence[Tensor], height: int, width: int) -> Tensor:
    # Enlarged maps may be longer than the grid, where its sides are no multiple of their stride.
    return torch.cat([m[..., :height, :width] for m in maps], dim=1)


def trainable_parameters(irnet: IRNet) -> dict[str, list[nn.Parameter]]:
    """Return the parameters that learn, as "edge" and "displacement".

    The official code trains the displacement layers with ten times the learning rate of the
    boundary layers; the backbone does not learn.
    """
    named = list(irnet.named_parameters())
    return {
        "edge": [p for name, p in named if name.startswith("fc_edge")],
        "displacement": [p for name, p in named if name.startswith("fc_dp")],
    }


@torch.no_grad()
def fit_mean_shift(irnet: IRNet, batches: Iterable[Tensor]) -> None:
    """Store the mean displacement over normalised batches (B, 3, H, W) of training images.

    Run once after training (the mean over batches, as in the official code). The network is left in
    evaluation mode. The random walk over classes does not use displacements.

    Raises:
        ValueError: There is no batch.
    """
    irnet.eval()
    irnet.mean_shift.running_mean.zero_()
    means = [irnet(batch)[1].mean((0, 2, 3)) for batch in batches]
    if not means:
        raise ValueError("the mean displacement needs at least one batch of training images")
    irnet.mean_shift.running_mean.copy_(torch.stack(means).mean(0))


@torch.inference_mode()
def boundary_maps(irnet: IRNet, images: np.ndarray, *, crop_size: int | None) -> list[np.ndarray]:
    """Return the boundary map of every image, from it and its mirror image.

    It is the sigmoid of the mean of the image's scores and the mirrored scores of the mirror image.
    Displacements, which the random walk over classes does not use, are not computed.

    Args:
        irnet: The network, in evaluation mode.
        images: RGB (B, H, W, 3) uint8.
        crop_size: Sides in pixels to which normalised images are filled up with zeros at the bottom
            and right, as in the official code (512). The group normalisation sees the zeros, so
            results depend on it. Larger images stay as they are (the official code cuts them).
            None: no filling.

    Returns:
        Per image float32 boundary probabilities (h, w) in 0..1; h = ceil(H / irnet.stride).

    Raises:
        ValueError: The images are no uint8 batch, or the network is in training mode.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"expected uint8 images (B, H, W, 3), got {images.dtype} {images.shape}")
    if irnet.training:
        raise ValueError("the boundary network is in training mode: call irnet.eval() first")
    height, width = images.shape[1:3]
    rows, columns = -(-height // irnet.stride), -(-width // irnet.stride)
    pixels = torch.from_numpy(images).to(irnet.fc_edge6.weight.device).permute(0, 3, 1, 2)
    x = irnet.normalize(torch.cat([pixels, pixels.flip(3)]))
    if crop_size is not None:
        x = F.pad(x, (0, max(crop_size - width, 0), 0, max(crop_size - height, 0)))
    direct, mirrored = irnet.boundary_scores(x)[:, 0, :rows, :columns].float().chunk(2)
    return list(torch.sigmoid((direct + mirrored.flip(2)) / 2).cpu().numpy())
