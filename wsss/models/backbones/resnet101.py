"""torchvision's ResNet-101 with stride 16; DeepLab-v2's, of Caffe, is resnet101_caffe."""

from torchvision.models import resnet101

from wsss.models.backbones._torchvision_resnet import TorchvisionResNet


class ResNet101(TorchvisionResNet):
    """torchvision's ResNet-101."""

    def __init__(self) -> None:
        """Build the network with random weights."""
        super().__init__(resnet101(weights=None))


def build_backbone() -> ResNet101:
    """Return ResNet-101 with random weights."""
    return ResNet101()
