"""What every backbone offers: five stages, its pixel scale and where its features look."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wsss.models.backbones._pointwise import with_fast_pointwise

STAGES = 5
PRECISIONS = ("full", "bfloat16")
IMAGENET_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
IMAGENET_STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)


class Backbone(nn.Module):
    """A convolutional network in five stages, stage 1 being the stem.

    A child sets the class attributes and lists its modules in `stage_modules`. Channels and strides
    are those of each stage's output; `pixel_mean` and `pixel_std` are per RGB channel on the 0..255
    scale.
    """

    stage_channels: ClassVar[tuple[int, ...]]
    stage_strides: ClassVar[tuple[int, ...]]
    pixel_mean: ClassVar[tuple[float, float, float]] = IMAGENET_MEAN
    pixel_std: ClassVar[tuple[float, float, float]] = IMAGENET_STD
    channel_order: ClassVar[str] = "rgb"
    # In files of weights, by the files' own names: the classification head and its shape without
    # sides of length one, and heads that learned from masks.
    imagenet_head: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    segmentation_head: ClassVar[re.Pattern[str]] = re.compile("(?!)")
    batch_norm_frozen: bool = False
    # One of PRECISIONS, of the convolutions; what comes out has the type of what goes in.
    precision: str = "full"

    def stage_modules(self) -> tuple[tuple[nn.Module, ...], ...]:
        """Return the modules of each of the five stages, in the order in which they are applied."""
        raise NotImplementedError

    def stages(self, x: Tensor) -> list[Tensor]:
        """Return the five stages' features (B, channels, h, w) of a normalised batch."""
        return [self._finished(output, x) for output in self._outputs(x)]

    def forward(self, x: Tensor) -> Tensor:
        """Return the last stage's feature maps (B, D, h, w)."""
        return self._finished(self._outputs(x)[-1], x)

    def _outputs(self, x: Tensor) -> list[Tensor]:
        lower = self.precision == "bfloat16"
        # Where nothing is asked for here, whoever calls may ask for it.
        with torch.autocast(x.device.type, torch.bfloat16) if lower else nullcontext():
            outputs = []
            for modules in self.stage_modules():
                for module in modules:
                    x = module(x)
                outputs.append(x)
        return outputs

    def _finished(self, output: Tensor, x: Tensor) -> Tensor:
        return output.to(x.dtype) if self.precision == "bfloat16" else output

    def normalize(self, images: Tensor) -> Tensor:
        """Return RGB images (B, 3, H, W), uint8 or float on 0..255, on the backbone's scale.

        The result has the weights' floating-point type and the backbone's channel order.
        """
        dtype = next(self.parameters()).dtype
        mean, std = (
            torch.tensor(values, dtype=dtype, device=images.device).view(1, 3, 1, 1)
            for values in (self.pixel_mean, self.pixel_std)
        )
        normalized = (images.to(dtype) - mean) / std
        return normalized.flip(1) if self.channel_order == "bgr" else normalized

    def centre_offset(self, length: int) -> float:
        """Return the pixel at which feature 0 is centred, on an axis of `length` pixels.

        Feature i is centred `stage_strides[-1] * i` further on. With symmetric padding that is 0.
        """
        return 0.0

    def own_name(self, official: str) -> str:
        """Return our name of a tensor in a file of ImageNet weights; unknown ones keep theirs."""
        return official

    def load_pretrained(self) -> None:
        """Load the weights that an installed package carries.

        Raises:
            ValueError: No installed package carries weights for this backbone.
        """
        raise ValueError(
            f"no installed package carries weights for {type(self).__name__}: "
            "give a weights file instead, or start from random weights"
        )

    def compile(self, *args: Any, **options: Any) -> None:
        """Compile `forward`, as every module does, and `stages`, which trainings call."""
        super().compile(*args, **options)
        self.stages = torch.compile(self.stages, *args, **options)  # type: ignore[method-assign]

    def train(self, mode: bool = True) -> "Backbone":
        """Set the training mode; frozen batch normalisation stays on its running statistics."""
        super().train(mode)
        if self.batch_norm_frozen:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def check_precision(precision: str) -> None:
    """Check the name of a precision.

    Raises:
        ValueError: It is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}: choose one of {', '.join(PRECISIONS)}")


def backbone_names() -> list[str]:
    """Return the names of the backbones: the files of this folder, less what they share."""
    here = str(Path(__file__).parent)
    names = (module.name for module in pkgutil.iter_modules([here]))
    return sorted(name for name in names if name != "backbone" and not name.startswith("_"))


def build_backbone(name: str) -> Backbone:
    """Return the backbone `name` with random weights.

    Raises:
        ValueError: No backbone has this name.
    """
    if name not in backbone_names():
        raise ValueError(f"unknown backbone {name!r}: choose one of {', '.join(backbone_names())}")
    module = importlib.import_module(f"wsss.models.backbones.{name}")
    backbone: Backbone = module.build_backbone()
    with_fast_pointwise(backbone)
    return backbone
