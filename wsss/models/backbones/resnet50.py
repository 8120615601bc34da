"""ResNet-50 with stride 16, as the class-map code bases of IRN, AdvCAM, RIB and W-OoD use it."""

from torchvision.models import resnet50

from wsss.models.backbones._torchvision_resnet import TorchvisionResNet


class ResNet50(TorchvisionResNet):
    """torchvision's ResNet-50."""

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__(resnet50(weights=None))


def build_backbone() -> ResNet50:
    """Return ResNet-50 with random weights."""
    return ResNet50()
