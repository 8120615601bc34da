"""What torchvision's ResNets of bottlenecks have in common."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn
from torchvision.models import ResNet

from wsss.models.backbones.backbone import Backbone


class TorchvisionResNet(Backbone):
    """A torchvision ResNet under torchvision's tensor names, its last stage with stride 1.

    The last stage is not dilated, as in the official class-map code. The stem is conv1 with the
    pooling; the official code counts it and layer1 as one stage.
    """

    stage_channels = (64, 256, 512, 1024, 2048)
    stage_strides = (4, 4, 8, 16, 16)
    imagenet_head: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "fc.weight": (1000, 2048),
        "fc.bias": (1000,),
    }

    def __init__(self, network: ResNet) -> None:
        """Take over the layers of `network`, all but its head."""
        super().__init__()
        first = network.layer4[0]
        first.conv2.stride = (1, 1)
        first.downsample[0].stride = (1, 1)
        self.conv1 = network.conv1
        self.bn1 = network.bn1
        self.relu = network.relu
        self.maxpool = network.maxpool
        self.layer1 = network.layer1
        self.layer2 = network.layer2
        self.layer3 = network.layer3
        self.layer4 = network.layer4

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the stem and the four residual stages."""
        stem = (self.conv1, self.bn1, self.relu, self.maxpool)
        return stem, (self.layer1,), (self.layer2,), (self.layer3,), (self.layer4,)
