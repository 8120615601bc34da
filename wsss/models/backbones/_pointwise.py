"""Convolutions of 1x1, as fast with one CPU thread as with several."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# With one thread, torch gives smaller batches of them to another library than larger ones.
ENOUGH_IMAGES = 16


class PointwiseConv2d(nn.Conv2d):
    """A convolution of 1x1 that is computed as on a large batch.

    With one CPU thread and fewer than 16 images in float32, torch computes a convolution of 1x1 as
    a product of matrices, which on AMD's processors takes more than twice as long as oneDNN's
    convolution, there and back. As there are no neighbours, the rows of an image may pass for
    images; where channels come last, this copies nothing.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, D, h, w) of (B, C, H, W)."""
        if not _slow(x):
            return super().forward(x)
        down, right = self.stride
        x = x[:, :, ::down, ::right]
        batch, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(batch * height, 1, width, channels).permute(0, 3, 1, 2)
        found = F.conv2d(rows, self.weight, self.bias).permute(0, 2, 3, 1)
        return found.reshape(batch, height, width, self.out_channels).permute(0, 3, 1, 2)


def with_fast_pointwise(network: nn.Module) -> None:
    """Let the network's convolutions of 1x1 be such; its tensors and their names stay."""
    for module in network.modules():
        # A kind of its own may do more than convolve.
        if type(module) is nn.Conv2d and _is_pointwise(module):
            module.__class__ = PointwiseConv2d


def _is_pointwise(convolution: nn.Conv2d) -> bool:
    kind = convolution.kernel_size, convolution.padding, convolution.groups
    return kind == ((1, 1), (0, 0), 1)


def _slow(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.dim() == 4
        and x.shape[0] < ENOUGH_IMAGES
        # A compiled network asks for its own way.
        and not torch.compiler.is_compiling()
        and torch.get_num_threads() == 1
        and torch.backends.mkldnn.is_available()
    )
