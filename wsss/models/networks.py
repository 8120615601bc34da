"""Classifiers by the name of their network: one file of this folder each."""

from importlib import import_module
from typing import Any

from wsss.models.classifier import Classifier

NETWORKS = ("classifier", "seam", "eps", "ficklenet")


def build_network(network: str, backbone: str, *, num_classes: int, **options: Any) -> Classifier:
    """Return a classifier with random weights.

    Args:
        network: One of `NETWORKS`, the file that builds it: `classifier` is the plain one.
        backbone: Name of its backbone.
        num_classes: Foreground classes (C).
        options: Of the network, see `build_classifier` of its file.

    Raises:
        ValueError: The network or the backbone is unknown, or an option out of range.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}: choose one of {', '.join(NETWORKS)}")
    module = import_module(f"wsss.models.{network}")
    classifier: Classifier = module.build_classifier(backbone, num_classes=num_classes, **options)
    return classifier
