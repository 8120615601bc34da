"""What the benchmarks compute on: photographs that come with scikit-learn, and a seeded network."""

from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_sample_images

from wsss.models.classifier import Classifier, build_classifier

HEIGHT, WIDTH = 375, 500


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


def resnet50_classifier() -> Classifier:
    """Return a ResNet-50 classifier of 20 classes with seeded weights, in evaluation mode.

    The statistics of its batch norm are those of a photograph, so that activations keep a common
    size through all stages, as they do in a trained network.
    """
    torch.manual_seed(0)
    classifier = build_classifier("resnet50", num_classes=20)
    pixels = torch.from_numpy(photographs(2).transpose(0, 3, 1, 2).copy())
    for module in classifier.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    classifier.train()
    with torch.no_grad():
        classifier.score_maps(classifier.normalize(pixels))
    return classifier.eval()
