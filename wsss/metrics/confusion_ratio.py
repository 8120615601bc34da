"""How often a background that co-occurs with a class is taken for the class."""

from collections.abc import Mapping

import numpy as np


class ConfusionRatio:
    """Confusion ratios m = FP / TP of co-occurring pairs over a data set (EPS sec. 5.1).

    For a class c and the background k that often stands beside it (train and rail): FP are the
    pixels of k predicted as c, TP the pixels of c predicted as c. Lower is better; it may exceed 1.
    """

    def __init__(self, pairs: Mapping[int, int], *, num_classes: int, ignore_index: int) -> None:
        """Start empty counts.

        Args:
            pairs: zero-based foreground class -> id of its spurious background (1 to 255).
            num_classes: classes with background (K).
            ignore_index: ground truth label that is left out.

        Raises:
            ValueError: a class or an id is out of range.
        """
        self.pairs = check_pairs(pairs, num_classes=num_classes)
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.false_positives = dict.fromkeys(self.pairs, 0)
        self.true_positives = dict.fromkeys(self.pairs, 0)

    def update(
        self, ground_truth: np.ndarray, spurious_mask: np.ndarray, prediction: np.ndarray
    ) -> None:
        """Add one image.

        Args:
            ground_truth: uint8 (H,W), 0 background, class k -> k + 1, or ignore_index.
            spurious_mask: uint8 (H,W), ids of spurious backgrounds, 0 elsewhere.
            prediction: uint8 (H,W), 0 background, class k -> k + 1.

        Raises:
            ValueError: sizes differ.
        """
        if not ground_truth.shape == spurious_mask.shape == prediction.shape:
            raise ValueError(
                f"ground truth {ground_truth.shape}, spurious mask {spurious_mask.shape} and "
                f"prediction {prediction.shape} differ in size; bring them to the image's size"
            )
        for class_id, spurious_id in self.pairs.items():
            predicted = prediction == class_id + 1
            correct = ground_truth == class_id + 1
            confused = predicted & (spurious_mask == spurious_id)
            confused &= ~correct & (ground_truth != self.ignore_index)
            self.false_positives[class_id] += int(confused.sum())
            self.true_positives[class_id] += int((predicted & correct).sum())

    def merge(self, other: "ConfusionRatio") -> None:
        """Add the counts of another part of the same data set.

        Raises:
            ValueError: the pairs differ.
        """
        if other.pairs != self.pairs:
            raise ValueError(
                f"cannot merge confusion ratios of pairs {self.pairs} and {other.pairs}; "
                "they belong to different data sets"
            )
        for class_id in self.pairs:
            self.false_positives[class_id] += other.false_positives[class_id]
            self.true_positives[class_id] += other.true_positives[class_id]

    def ratios(self) -> dict[int, float]:
        """Return class -> FP / TP; nan for a class without true positives."""
        return {
            class_id: self.false_positives[class_id] / hits if hits else float("nan")
            for class_id, hits in self.true_positives.items()
        }

    def summary(self) -> dict[str, float]:
        """Return confusion_ratio, the mean over classes that have one, and num_pairs of them."""
        return summarise_ratios(self.ratios())


def summarise_ratios(ratios: Mapping[int, float]) -> dict[str, float]:
    """Return the mean of the defined ratios (nan without any) and their number."""
    defined = [ratio for ratio in ratios.values() if not np.isnan(ratio)]
    mean = float(np.mean(defined)) if defined else float("nan")
    return {"confusion_ratio": mean, "num_pairs": float(len(defined))}


def check_pairs(pairs: Mapping[int, int], *, num_classes: int) -> dict[int, int]:
    """Return the pairs as a plain dictionary.

    Raises:
        ValueError: a class is no foreground class, or an id is not in 1..255.
    """
    for class_id, spurious_id in pairs.items():
        if not 0 <= class_id < num_classes - 1:
            raise ValueError(
                f"class {class_id} of a co-occurring pair is not in 0..{num_classes - 2}; "
                "use zero-based foreground classes"
            )
        if not 1 <= spurious_id <= 255:
            raise ValueError(
                f"spurious id {spurious_id} of class {class_id} is not in 1..255; "
                "leave classes without a spurious background out"
            )
    return {int(class_id): int(spurious_id) for class_id, spurious_id in pairs.items()}
