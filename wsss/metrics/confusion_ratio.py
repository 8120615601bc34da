"""How often a background that co-occurs with a class is taken for the class."""

from collections.abc import Mapping, Sequence

import numpy as np

Pair = tuple[int, int]
"""A zero-based foreground class, and the id of a spurious background that goes with it."""


class ConfusionRatio:
    """Confusion ratios m_{k,c} = FP_{k,c} / TP_c of co-occurring pairs (EPS sec. 5.1, Table 2).

    For a class c and a background k that often stands beside it (train and rail): FP_{k,c} are the
    pixels of k predicted as c where the ground truth is neither c nor ignored, TP_c the pixels of c
    predicted as c, both over a whole data set. A class may have several backgrounds. Lower is
    better; a ratio may exceed 1.
    """

    def __init__(self, pairs: Sequence[Pair], *, num_classes: int, ignore_index: int) -> None:
        """Start empty counts.

        Args:
            pairs: (zero-based foreground class, id of a background 1 to 255), each once.
            num_classes: classes with background (K).
            ignore_index: ground truth label that is left out.

        Raises:
            ValueError: a class or an id is out of range, or a pair is named twice.
        """
        self.pairs = check_pairs(pairs, num_classes=num_classes)
        self.ignore_index = ignore_index
        self.false_positives = dict.fromkeys(self.pairs, 0)
        self.true_positives = dict.fromkeys(sorted({class_id for class_id, _ in self.pairs}), 0)

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
        known = ground_truth != self.ignore_index
        for class_id in self.true_positives:
            predicted = prediction == class_id + 1
            correct = ground_truth == class_id + 1
            self.true_positives[class_id] += int(np.count_nonzero(predicted & correct))
            confused = np.bincount(spurious_mask[predicted & ~correct & known], minlength=256)
            for pair in self.pairs:
                if pair[0] == class_id:
                    self.false_positives[pair] += int(confused[pair[1]])

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
        for pair in self.pairs:
            self.false_positives[pair] += other.false_positives[pair]
        for class_id in self.true_positives:
            self.true_positives[class_id] += other.true_positives[class_id]

    def ratios(self) -> dict[Pair, float]:
        """Return (class, background) -> m_{k,c}; nan for a class without true positives."""
        return {
            pair: count / self.true_positives[pair[0]]
            if self.true_positives[pair[0]]
            else float("nan")
            for pair, count in self.false_positives.items()
        }

    def summary(self) -> dict[str, float]:
        """Return confusion_ratio, the mean over pairs that have one, and num_pairs of them."""
        return summarise_ratios(self.ratios())


def summarise_ratios(ratios: Mapping[Pair, float]) -> dict[str, float]:
    """Return the mean of the defined ratios (nan without any) and their number."""
    defined = [ratio for ratio in ratios.values() if not np.isnan(ratio)]
    mean = float(np.mean(defined)) if defined else float("nan")
    return {"confusion_ratio": mean, "num_pairs": float(len(defined))}


def check_pairs(pairs: Sequence[Pair], *, num_classes: int) -> list[Pair]:
    """Return the pairs as a plain list.

    Raises:
        ValueError: a class is no foreground class, an id is not in 1..255, or a pair is named
            twice.
    """
    for class_id, spurious_id in pairs:
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
    if len(set(pairs)) < len(pairs):
        raise ValueError(f"a pair is named twice in {list(pairs)}: name each once")
    return [(int(class_id), int(spurious_id)) for class_id, spurious_id in pairs]
