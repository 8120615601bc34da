"""What the benchmarks compute on: photographs that come with scikit-learn, and a seeded network."""

import copy
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_sample_images

from wsss.models.backbones._pointwise import PointwiseConv2d
from wsss.models.classifier import Classifier, build_classifier

HEIGHT, WIDTH = 375, 500
# Scale of what a residual block adds to its input.
BLOCK_SCALE = 0.05


@cache
def photographs(count: int) -> np.ndarray:
    """Return crops of two photographs, uint8 (count, 375, 500, 3) RGB, PASCAL VOC's usual size."""
    sources = load_sample_images().images
    generator = np.random.default_rng(0)
    crops = []
    for number in range(count):
        source = sources[number % len(sources)]
        top = int(generator.integers(source.shape[0] - HEIGHT + 1))
        left = int(generator.integers(source.shape[1] - WIDTH + 1))
        crops.append(source[top : top + HEIGHT, left : left + WIDTH])
    return np.stack(crops)


def device() -> torch.device:
    """Return the GPU if there is one (hidden by an empty CUDA_VISIBLE_DEVICES)."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def with_torchs_convolutions(classifier: Classifier) -> Classifier:
    """Return a copy whose convolutions of 1x1 are torch's own, as those of official networks."""
    plain = copy.deepcopy(classifier)
    for module in plain.modules():
        if isinstance(module, PointwiseConv2d):
            module.__class__ = torch.nn.Conv2d
    return plain


def resnet50_classifier() -> Classifier:
    """Return a ResNet-50 classifier of 20 classes with seeded weights, in evaluation mode.

    The statistics of its batch norm are those of a photograph, and a block adds little to what it
    gets, so that activations and gradients keep a common size through all stages, as they do in a
    trained network. (Undamped, a rounding error grows some thousandfold on its way back to the
    pixels.)
    """
    torch.manual_seed(0)
    classifier = build_classifier("resnet50", num_classes=20)
    pixels = torch.from_numpy(photographs(2).transpose(0, 3, 1, 2).copy())
    for name, module in classifier.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            if name.endswith("bn3"):
                torch.nn.init.constant_(module.weight, BLOCK_SCALE)
    classifier.train()
    with torch.no_grad():
        classifier.score_maps(classifier.normalize(pixels))
    return classifier.eval().to(device())
