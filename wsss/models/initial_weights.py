"""Weights of others that a backbone starts from: ImageNet's, or those of a network of masks."""

from collections.abc import Mapping

import torch
from torch import Tensor

from wsss.models.backbones.backbone import Backbone
from wsss.models.renaming import rename_exactly


def load_initial_weights(backbone: Backbone, state: Mapping[str, Tensor], *, name: str) -> None:
    """Load a file's tensors into a backbone; the file's own head is left out.

    Accepted are the files of torchvision (resnet50, resnet101, vgg16), of ademxapp and of the
    class-map code (wide_resnet38), of deeplab-pytorch (resnet101_caffe), of the package
    (efficientnet_lite0), and any backbone under its own names.

    Args:
        backbone: Filled in place.
        state: Tensors by their names in the file.
        name: The backbone's name.

    Raises:
        ValueError: A tensor is unknown, missing, of another shape or type, or not finite.
    """
    heads = {*imagenet_head(backbone, state), *segmentation_head(backbone, state)}
    body = {official: tensor for official, tensor in state.items() if official not in heads}
    source = f"ImageNet weights of {name}"
    renamed = rename_exactly(body, backbone, backbone.own_name, source=source)
    for ours, tensor in renamed.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ValueError(
                f"the tensor for our {ours!r} holds values that are not finite: fetch the file anew"
            )
    backbone.load_state_dict(renamed)


def imagenet_head(backbone: Backbone, state: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the tensors of ImageNet's classification head, as the file has them."""
    return [
        official
        for official, tensor in state.items()
        if tuple(tensor.squeeze().shape) == backbone.imagenet_head.get(_bare(official))
    ]


def segmentation_head(backbone: Backbone, state: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the tensors of a head that learned from masks, as the file has them."""
    classification = imagenet_head(backbone, state)
    return [
        official
        for official in state
        if backbone.segmentation_head.fullmatch(_bare(official)) and official not in classification
    ]


def _bare(official: str) -> str:
    return official.removeprefix("module.").removeprefix("base.")
