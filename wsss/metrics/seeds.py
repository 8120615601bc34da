"""Scores of seeds beyond those of the threshold sweep, at a few thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsss.metrics.object_size import ObjectSizes, scores_by_size
from wsss.metrics.outlines import OutlineScores
from wsss.metrics.threshold import seeds_at


class FurtherSeedScores:
    """Outlines of the seed at each of some thresholds, and sizes of the objects.

    An image costs one arg-max, and its outlines at each threshold; thresholds that are one to maps
    of single precision count once. What nobody asks for costs nothing.
    """

    def __init__(
        self,
        num_classes: int,
        thresholds: Sequence[float],
        *,
        ignore_index: int,
        contour: Mapping[str, Any] | None,
        boundary: Mapping[str, Any] | None,
        object_size: Mapping[str, Any] | None,
    ) -> None:
        """Start empty counts.

        Args:
            num_classes: Classes with background (K).
            thresholds: Background scores.
            ignore_index: Ground truth label that is no class.
            contour: Options of the contour F-score, see `OutlineScores`; None leaves it out.
            boundary: Options of the boundary scores, likewise.
            object_size: Options of the scores by size, see `scores_by_size`; None leaves them out.
        """
        self.asked = bool(contour or boundary or object_size)
        self._object_size = object_size
        self._sizes = object_size and ObjectSizes(num_classes, ignore_index=ignore_index)
        self._outlines = {
            np.float32(threshold): OutlineScores(
                num_classes, ignore_index=ignore_index, contour=contour, boundary=boundary
            )
            for threshold in (thresholds if contour or boundary else ())
        }

    def update(
        self, ground_truth: np.ndarray, class_ids: np.ndarray, maps_full: np.ndarray
    ) -> None:
        """Add one image.

        Args:
            ground_truth: uint8 (H, W), 0 background, class k -> k + 1, or ignore_index.
            class_ids: Integers (n,), zero-based foreground classes of the maps; n may be 0.
            maps_full: (n, H, W) float maps at the image's size.

        Raises:
            ValueError: Sizes differ.
        """
        if self._sizes:
            self._sizes.update(ground_truth)
        if self._outlines:
            seeds = seeds_at(map(float, self._outlines), class_ids, maps_full)
            for outlines, seed in zip(self._outlines.values(), seeds, strict=True):
                outlines.update(ground_truth, seed)

    def summary(self, threshold: float, matrix: np.ndarray) -> dict[str, float]:
        """Return what is asked for at one of the thresholds, as fractions.

        Args:
            threshold: One of the thresholds.
            matrix: Confusion matrix (K, K) of the same images at this threshold.
        """
        found: dict[str, float] = {}
        if self._outlines:
            found |= self._outlines[np.float32(threshold)].summary(matrix)
        if self._object_size and self._sizes:
            found |= scores_by_size(matrix, self._sizes.mean_sizes(), **self._object_size)
        return found
