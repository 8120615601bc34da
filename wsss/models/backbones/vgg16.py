"""VGG-16 with stride 8, as DeepLab, PSA and DSRG use it."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from wsss.models.backbones.backbone import Backbone

# Of each stage: its convolutions and their dilation, its channels, the stride of its pooling.
STAGES = ((2, 1, 64, 2), (2, 1, 128, 2), (3, 1, 256, 2), (3, 1, 512, 1), (3, 2, 512, 1))


class VGG16(Backbone):
    """The convolutions of VGG-16 under torchvision's tensor names, with DeepLab's pooling.

    A stage ends with its pooling. The last two poolings have stride 1, and the convolutions
    between them are dilated by 2. Poolings look at 3x3 features, padded, where torchvision's look
    at 2x2: features then stand on the regular grid, and not 15.5 pixels to the right of it
    (DeepLab's LargeFOV network, Chen et al. 2015; PSA's vgg16d).
    """

    stage_channels = (64, 128, 256, 512, 512)
    stage_strides = (2, 4, 8, 8, 8)
    imagenet_head: ClassVar[Mapping[str, tuple[int, ...]]] = {
        **{"classifier.0.weight": (4096, 25088), "classifier.0.bias": (4096,)},
        **{"classifier.3.weight": (4096, 4096), "classifier.3.bias": (4096,)},
        **{"classifier.6.weight": (1000, 4096), "classifier.6.bias": (1000,)},
    }

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__()
        stages = [_layers(number) for number in range(len(STAGES))]
        self.features = nn.Sequential(*(layer for layers in stages for layer in layers))
        self.stage_lengths = [len(layers) for layers in stages]
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the layers up to each pooling, with it."""
        layers = iter(self.features)
        return tuple(tuple(next(layers) for _ in range(n)) for n in self.stage_lengths)


def _layers(number: int) -> list[nn.Module]:
    convolutions, dilation, channels, stride = STAGES[number]
    channels_in = STAGES[number - 1][2] if number else 3
    layers: list[nn.Module] = []
    for _ in range(convolutions):
        layers.append(nn.Conv2d(channels_in, channels, 3, padding=dilation, dilation=dilation))
        layers.append(nn.ReLU(inplace=True))
        channels_in = channels
    return [*layers, nn.MaxPool2d(3, stride, padding=1)]


def build_backbone() -> VGG16:
    """Return VGG-16 with random weights."""
    return VGG16()
