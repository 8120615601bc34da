"""What each metric is called, which way is better, and what it means in words."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """How one metric is shown to a reader."""

    title: str
    percent: bool
    better: Literal["higher", "lower", "neither"]
    meaning: str

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title} (%)" if self.percent else self.title


METRICS: dict[str, Metric] = {
    "miou": Metric(
        "mIoU",
        True,
        "higher",
        "Mean intersection over union: for each class, the pixels that prediction and truth share, "
        "divided by the pixels that either of them claims; then the mean over classes, background "
        "included. The pixels of the whole split are counted together; a class that neither "
        "predicted nor present is left out.",
    ),
    "iou": Metric(
        "IoU",
        True,
        "higher",
        "Intersection over union of a single class, counted over the whole split.",
    ),
    "precision": Metric(
        "Precision",
        True,
        "higher",
        "Of the pixels marked as an object, the share that is one. Low when maps "
        "spill over onto the background.",
    ),
    "recall": Metric(
        "Recall",
        True,
        "higher",
        "Of the pixels of real objects, the share that was marked. Low when only the "
        "most telling part of an object lights up.",
    ),
    "f1": Metric("F1", True, "higher", "The harmonic mean of precision and recall."),
    "pixel_accuracy": Metric(
        "Pixel accuracy",
        True,
        "higher",
        "The share of all pixels with the right class. Flattered by background.",
    ),
    "confusion_ratio": Metric(
        "Confusion ratio",
        False,
        "lower",
        "Pixels of the co-occurring background (rail for train) that were marked as the object, "
        "per pixel of the object that was marked rightly. It falls when a classifier stops using "
        "the background as evidence.",
    ),
    "contour_f": Metric(
        "Contour F",
        True,
        "higher",
        "The F score of outlines: how well predicted borders lie on true ones, within "
        "a small distance.",
    ),
    "num_classes": Metric("Classes", False, "neither", "How many classes the mean is taken over."),
    "num_images": Metric("Images", False, "neither", "How many images were scored."),
}

COUNTS = frozenset({"num_classes", "num_images"})


def metric_of(name: str) -> Metric:
    """Return how a metric is shown.

    Raises:
        KeyError: The name is unknown.
    """
    if name not in METRICS:
        raise KeyError(f"unknown metric {name!r}; known are {', '.join(METRICS)}")
    return METRICS[name]


def shown(name: str, value: float) -> float:
    """Return a stored value (a fraction) on the scale on which it is shown (percent or itself)."""
    return value * 100 if metric_of(name).percent else value


def format_value(name: str, value: float) -> str:
    """Return a stored value as text: percent with one digit, ratios with two, counts with none."""
    if value != value:
        return "–"
    digits = 0 if name in COUNTS else 1 if metric_of(name).percent else 2
    return f"{shown(name, value):.{digits}f}"
