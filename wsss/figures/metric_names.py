"""What each metric is called, which way is better, and what it means in words."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """How one metric is shown to a reader; those of a `family` are explained together."""

    title: str
    percent: bool
    better: Literal["higher", "lower", "neither"]
    meaning: str
    family: str = ""

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title} (%)" if self.percent else self.title


SIZES = ("foreground", "small", "medium", "large")
BOUNDARY = (
    "Of the edges between true regions, the share that has a predicted edge close by (recall); of "
    "the predicted edges, the share with a true one close by (precision); and their harmonic mean. "
    "Which classes meet at an edge does not matter."
)
BY_SIZE = (
    "The mean over the classes of the foreground, or over those of them whose objects are small, "
    "medium or large: by the mean share of an image that the class covers."
)
CLASSES = "How many classes the mean is taken over."

METRICS: dict[str, Metric] = {
    "miou": Metric(
        "mIoU",
        True,
        "higher",
        "Mean intersection over union: for each class, the pixels that prediction and truth share, "
        "divided by the pixels that either of them claims; then the mean over classes, background "
        "included. The pixels of the whole split are counted together; a class that is neither "
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
        "Of the pixels marked as a class, the share that belongs to it; the mean over classes, "
        "background included. Low when maps spill over onto the background.",
    ),
    "recall": Metric(
        "Recall",
        True,
        "higher",
        "Of the pixels of a class, the share that was marked as it; the mean over classes, "
        "background included. Low when only the most telling part of an object lights up.",
    ),
    "f1": Metric(
        "F1",
        True,
        "higher",
        "Harmonic mean of precision and recall of a class, then the mean over classes.",
    ),
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
        "per pixel of the object that was marked rightly; the mean over such pairs. "
        "It falls when a classifier stops using "
        "the background as evidence.",
    ),
    "contour_f": Metric(
        "Contour F",
        True,
        "higher",
        "The F score of outlines: how well predicted borders lie on true ones, within "
        "a small distance.",
    ),
    "j_and_f": Metric(
        "J&F",
        True,
        "higher",
        "The mean of region overlap (mIoU) and contour F.",
    ),
    **{
        f"boundary_{name}": Metric(f"Boundary {title}", True, "higher", BOUNDARY, "Boundary scores")
        for name, title in (("recall", "recall"), ("precision", "precision"), ("f1", "F1"))
    },
    **{
        f"{name}_{group}": Metric(
            f"{title}, {group}", True, "higher", BY_SIZE, "Scores by object size"
        )
        for group in SIZES
        for name, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"))
    },
    "seconds_per_image": Metric(
        "Seconds per image",
        False,
        "lower",
        "How long the making of an image's maps took, from the first image to the last, on the "
        "machine that the table names.",
    ),
    "num_classes": Metric("Classes", False, "neither", CLASSES, "Classes"),
    **{
        f"num_classes_{group}": Metric(f"Classes, {group}", False, "neither", CLASSES, "Classes")
        for group in SIZES
    },
    "num_pairs": Metric(
        "Pairs", False, "neither", "How many pairs of class and background the ratio is taken over."
    ),
    "num_images": Metric("Images", False, "neither", "How many images were scored."),
}

COUNTS = frozenset(name for name in METRICS if name.startswith("num_"))


def metric_of(name: str) -> Metric:
    """Return how a metric is shown.

    Raises:
        KeyError: The name is unknown.
    """
    if name not in METRICS:
        raise KeyError(f"unknown metric {name!r}; known are {', '.join(METRICS)}")
    return METRICS[name]


def scale(name: str) -> float:
    """Return what a stored value (a fraction) is multiplied by to be shown (100 for percent)."""
    return 100.0 if metric_of(name).percent else 1.0


def format_value(name: str, value: float) -> str:
    """Return a stored value as text: percent with one digit, ratios with two, counts with none.

    Seconds, of which a machine takes more or less by orders, have at least two digits that count.
    """
    if value != value:
        return "–"
    if name == "seconds_per_image" and value > 0:
        return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"
    digits = 0 if name in COUNTS else 1 if metric_of(name).percent else 2
    return f"{scale(name) * value:.{digits}f}"
