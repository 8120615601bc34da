"""What follows from a resolved config; apart from its checks, whose code no result depends on."""

from collections.abc import Mapping
from typing import Any


def training_threads(config: Mapping[str, Any], classifier: str) -> int:
    """Return the CPU threads of a classifier's training.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    return config["classifiers"][classifier]["threads"] or config["threads"]["train"]


def backbone_of(config: Mapping[str, Any], classifier: str) -> str:
    """Return the backbone of a classifier: that of its first ancestor.

    Args:
        config: A resolved config.
        classifier: One of its classifiers.
    """
    while (start := config["classifiers"][classifier]["start_from"]) is not None:
        classifier = start
    return str(config["classifiers"][classifier]["backbone"])
