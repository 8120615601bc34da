"""The golden cases' ResNet-50 classifier, with the weights of the published rule."""

import functools

import torch

from tests import golden
from wsss.models.classifier import Classifier, build_classifier


@functools.cache
def classifier(name: str) -> Classifier:
    """Return the classifier of a golden case in evaluation mode."""
    model = build_classifier("resnet50", num_classes=20).eval()
    shapes = {official_name(k): v.shape for k, v in model.state_dict().items()}
    filled = golden.fill_weights(shapes, golden.load(name).json["weights"])
    for key, tensor in model.state_dict().items():
        if official_name(key) in filled:
            tensor.copy_(torch.from_numpy(filled[official_name(key)]))
    return model


def official_name(name: str) -> str:
    """Return the official name of one of our tensors."""
    return name.replace("backbone.", "resnet50.").replace("head.", "classifier.")
