"""Quality of thresholded localization maps over a range of background thresholds, in one pass."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from wsss.metrics.confusion import ground_truth_rows, summarise
from wsss.metrics.confusion_ratio import Pair, check_pairs, summarise_ratios


class ThresholdSweep:
    """Confusion matrices of the seed at every background threshold.

    The seed at threshold t is the arg-max over (t, maps), the first entry winning ties: a pixel
    is foreground where its highest map value is strictly above t. So one histogram of the winning
    value per ground truth label and winning class holds all thresholds at once, and an image costs
    one arg-max whatever their number.
    """

    def __init__(
        self,
        num_classes: int,
        thresholds: Sequence[float],
        *,
        ignore_index: int,
        pairs: Sequence[Pair] = (),
    ) -> None:
        """Start an empty sweep.

        Args:
            num_classes: classes with background (K).
            thresholds: background scores, at least one, strictly increasing in float32.
            ignore_index: ground truth label that is left out.
            pairs: (zero-based foreground class, id of a spurious background), as in
                `ConfusionRatio`; empty where the data set has none.

        Raises:
            ValueError: the thresholds do not increase, or a pair is out of range.
        """
        # The maps are compared as float32, so two thresholds must differ there.
        self.thresholds = np.asarray(thresholds, np.float32)
        if self.thresholds.size == 0 or np.any(np.diff(self.thresholds) <= 0):
            raise ValueError(f"thresholds must be strictly increasing, not {list(thresholds)}")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.pairs = check_pairs(pairs, num_classes=num_classes)
        # The last axis counts the thresholds that lie below the winning value; the last row of
        # the first axis takes the ignored pixels and is never read.
        bins = len(self.thresholds) + 1
        self._counts = np.zeros((num_classes + 1, num_classes - 1, bins), np.int64)
        self._background = np.zeros(num_classes + 1, np.int64)
        self._spurious = np.zeros((len(self.pairs), bins), np.int64)

    def update(
        self,
        ground_truth: np.ndarray,
        class_ids: np.ndarray,
        maps_full: np.ndarray,
        spurious_mask: np.ndarray | None = None,
    ) -> None:
        """Add one image.

        Args:
            ground_truth: uint8 (H,W), 0 background, class k -> k + 1, or ignore_index.
            class_ids: integers (n,), zero-based foreground classes of the maps; n may be 0.
            maps_full: (n,H,W) float maps at the image's size; compared as float32.
            spurious_mask: uint8 (H,W) ids of spurious backgrounds, 0 elsewhere; needed where the
                sweep has pairs.

        Raises:
            ValueError: shapes differ, a class is unknown or given twice, or a needed spurious
                mask is missing.
        """
        self._check(ground_truth, class_ids, maps_full, spurious_mask)
        rows = ground_truth_rows(ground_truth, self.num_classes, ignore_index=self.ignore_index)
        if len(class_ids) == 0:
            self._background += np.bincount(rows.ravel(), minlength=self.num_classes + 1)
            return
        winner, value = winning_maps(maps_full)
        below = np.searchsorted(self.thresholds, value, side="left")
        shape = (self.num_classes + 1, len(class_ids), len(self.thresholds) + 1)
        cells = (rows.astype(np.intp) * shape[1] + winner) * shape[2] + below
        counts = np.bincount(cells.ravel(), minlength=int(np.prod(shape))).reshape(shape)
        self._counts[:, np.asarray(class_ids)] += counts
        if spurious_mask is not None:
            self._add_spurious(rows, np.asarray(class_ids), winner, below, spurious_mask)

    def merge(self, other: "ThresholdSweep") -> None:
        """Add the counts of another part of the same data set.

        Raises:
            ValueError: classes, thresholds or pairs differ.
        """
        if (self.num_classes, self.pairs) != (other.num_classes, other.pairs) or not np.array_equal(
            self.thresholds, other.thresholds
        ):
            raise ValueError(
                "cannot merge threshold sweeps of different classes, thresholds or pairs; "
                "make all parts with the same config"
            )
        self._counts += other._counts
        self._background += other._background
        self._spurious += other._spurious

    def matrix(self, threshold: float) -> np.ndarray:
        """Return the confusion matrix (K,K) at one of the thresholds, rows ground truth.

        Raises:
            KeyError: the sweep does not hold this threshold.
        """
        return self._matrix(self._position(threshold))

    def confusion_ratios(self, threshold: float) -> dict[Pair, float]:
        """Return pair -> confusion ratio at one of the thresholds (see `ConfusionRatio`).

        Raises:
            KeyError: the sweep does not hold this threshold.
        """
        return self._ratios(self._position(threshold))

    def curve(self) -> list[dict[str, float]]:
        """Return one row per threshold: threshold, the scores of `summarise`, confusion_ratio.

        confusion_ratio is the mean over the num_pairs pairs that have one, nan without any.
        """
        rows = []
        for position, threshold in enumerate(self.thresholds):
            scores = summarise(self._matrix(position))
            rows.append(
                {"threshold": float(str(threshold))}
                | scores
                | summarise_ratios(self._ratios(position))
            )
        return rows

    def best_by_ground_truth(self) -> float:
        """Return the threshold with the highest mIoU, the lowest of equals.

        The choice uses the ground truth: whoever reports it must say so.
        """
        scores = [row["miou"] for row in self.curve()]
        if np.all(np.isnan(scores)):
            raise ValueError("no image has been added, so there is no best threshold")
        return float(str(self.thresholds[int(np.nanargmax(scores))]))

    def _check(
        self,
        ground_truth: np.ndarray,
        class_ids: np.ndarray,
        maps_full: np.ndarray,
        spurious_mask: np.ndarray | None,
    ) -> None:
        expected = (len(class_ids), *ground_truth.shape)
        if maps_full.shape != expected:
            raise ValueError(
                f"the maps are {maps_full.shape}, but {len(class_ids)} classes and a ground truth "
                f"of {ground_truth.shape} need {expected}; read them at the image's size"
            )
        ids = class_ids.tolist()
        if len(set(ids)) != len(ids) or not set(ids) <= set(range(self.num_classes - 1)):
            raise ValueError(
                f"class ids {ids} are not different ones of 0..{self.num_classes - 2}; "
                "they are zero-based foreground classes"
            )
        if self.pairs and spurious_mask is None:
            raise ValueError("a sweep with co-occurring pairs needs the spurious mask of the image")
        if spurious_mask is not None and spurious_mask.shape != ground_truth.shape:
            raise ValueError(
                f"the spurious mask is {spurious_mask.shape} and the ground truth "
                f"{ground_truth.shape}; they must have one size"
            )

    def _add_spurious(
        self,
        rows: np.ndarray,
        class_ids: np.ndarray,
        winner: np.ndarray,
        below: np.ndarray,
        spurious_mask: np.ndarray,
    ) -> None:
        positions = {class_id: position for position, class_id in enumerate(class_ids.tolist())}
        for number, (class_id, spurious_id) in enumerate(self.pairs):
            if class_id in positions:
                confused = (spurious_mask == spurious_id) & (winner == positions[class_id])
                confused &= (rows != class_id + 1) & (rows != self.num_classes)
                self._spurious[number] += np.bincount(
                    below[confused], minlength=len(self.thresholds) + 1
                )

    def _position(self, threshold: float) -> int:
        found = np.flatnonzero(self.thresholds == np.float32(threshold))
        if found.size == 0:
            raise KeyError(
                f"threshold {threshold} is not in the sweep; it holds {self.thresholds.tolist()}"
            )
        return int(found[0])

    def _matrix(self, position: int) -> np.ndarray:
        classes = self.num_classes
        matrix = np.zeros((classes, classes), np.int64)
        matrix[:, 1:] = self._counts[:classes, :, position + 1 :].sum(2)
        matrix[:, 0] = self._background[:classes]
        matrix[:, 0] += self._counts[:classes, :, : position + 1].sum((1, 2))
        return matrix

    def _ratios(self, position: int) -> dict[Pair, float]:
        hits = np.diag(self._matrix(position))[1:]
        confused = self._spurious[:, position + 1 :].sum(1)
        return {
            pair: float(count / hits[pair[0]]) if hits[pair[0]] else float("nan")
            for pair, count in zip(self.pairs, confused, strict=True)
        }


def winning_maps(maps_full: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per pixel, the number of the highest map and its value; of equal ones the first.

    Args:
        maps_full: (n, H, W) float maps, n at least 1; compared as float32.
    """
    maps = maps_full.astype(np.float32, copy=False)
    value = maps[0]
    winner = np.zeros(value.shape, np.intp)
    for position in range(1, len(maps)):
        higher = maps[position] > value
        value = np.where(higher, maps[position], value)
        winner[higher] = position
    return winner, value


def seeds_at(
    thresholds: Iterable[float], class_ids: np.ndarray, maps_full: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the seed at each of some thresholds, (H, W) uint8, as `ThresholdSweep` counts it.

    Args:
        thresholds: Background scores.
        class_ids: Integers (n,), zero-based foreground classes of the maps; n may be 0.
        maps_full: (n, H, W) float maps at the image's size; compared as float32.
    """
    if len(class_ids) == 0:
        yield from (np.zeros(maps_full.shape[1:], np.uint8) for _ in thresholds)
        return
    winner, value = winning_maps(maps_full)
    labels = (np.asarray(class_ids) + 1).astype(np.uint8)[winner]
    for threshold in thresholds:
        yield np.where(value > np.float32(threshold), labels, np.uint8(0))
