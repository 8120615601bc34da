"""Confusion ratio m_{k,c} of every pair of a class c and a background k beside it (EPS Table 2)."""

from collections.abc import Sequence

import numpy as np

from wsss.metrics.confusion_ratio import check_pairs


class PairConfusion:
    """Confusion ratios m_{k,c} = FP_{k,c} / TP_c over a data set (EPS sec. 5.1).

    `ConfusionRatio` holds one background per class, as a data set's index does; here a class may
    have several (EPS: train with railroad and train with platform). FP_{k,c} are the pixels of
    background k predicted as c where the ground truth is neither c nor ignored, TP_c the pixels of
    c predicted as c. Lower is better; a ratio may exceed 1.
    """

    def __init__(
        self, pairs: Sequence[tuple[int, int]], *, num_classes: int, ignore_index: int
    ) -> None:
        """Start empty counts.

        Args:
            pairs: (zero-based foreground class, id of a background 1 to 255), each once.
            num_classes: classes with background (K).
            ignore_index: ground truth label that is left out.

        Raises:
            ValueError: a class or an id is out of range, or a pair is named twice.
        """
        for pair in pairs:
            check_pairs(dict([pair]), num_classes=num_classes)
        if len(set(pairs)) < len(pairs):
            raise ValueError(f"a pair is named twice in {list(pairs)}: name each once")
        self.pairs = [(int(class_id), int(background)) for class_id, background in pairs]
        self.ignore_index = ignore_index
        self.false_positives = dict.fromkeys(self.pairs, 0)
        self.true_positives = dict.fromkeys(sorted({class_id for class_id, _ in self.pairs}), 0)

    def update(
        self, ground_truth: np.ndarray, backgrounds: np.ndarray, prediction: np.ndarray
    ) -> None:
        """Add one image.

        Args:
            ground_truth: uint8 (H,W), 0 background, class k -> k + 1, or ignore_index.
            backgrounds: uint8 (H,W), ids of backgrounds, 0 elsewhere.
            prediction: uint8 (H,W), 0 background, class k -> k + 1.

        Raises:
            ValueError: sizes differ.
        """
        if not ground_truth.shape == backgrounds.shape == prediction.shape:
            raise ValueError(
                f"ground truth {ground_truth.shape}, backgrounds {backgrounds.shape} and "
                f"prediction {prediction.shape} differ in size; bring them to the image's size"
            )
        known = ground_truth != self.ignore_index
        for class_id in self.true_positives:
            predicted = prediction == class_id + 1
            correct = ground_truth == class_id + 1
            self.true_positives[class_id] += int(np.count_nonzero(predicted & correct))
            confused = np.bincount(backgrounds[predicted & ~correct & known], minlength=256)
            for pair in self.pairs:
                if pair[0] == class_id:
                    self.false_positives[pair] += int(confused[pair[1]])

    def merge(self, other: "PairConfusion") -> None:
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

    def ratios(self) -> dict[tuple[int, int], float]:
        """Return (class, background) -> m_{k,c}; nan for a class without true positives."""
        return {
            pair: count / self.true_positives[pair[0]]
            if self.true_positives[pair[0]]
            else float("nan")
            for pair, count in self.false_positives.items()
        }
