"""What is asked for of the outlines of label maps: contour F-score, J&F and boundary scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsss.metrics.boundary import BoundaryScore
from wsss.metrics.contour import ContourScore
from wsss.metrics.region_contour import region_and_contour


class OutlineScores:
    """Contour and boundary counts of a data set's label maps; what is not asked for costs nothing.

    Both cost some milliseconds for each image, far more than a confusion matrix.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        ignore_index: int,
        contour: Mapping[str, Any] | None,
        boundary: Mapping[str, Any] | None,
    ) -> None:
        """Start empty counts.

        Args:
            num_classes: Classes with background (K).
            ignore_index: Ground truth label that is set to background.
            contour: `tolerance` and `absent_classes` of the contour F-score, see `ContourScore`;
                None where nobody asks for it.
            boundary: `tolerance` of the boundary scores, see `BoundaryScore`; None likewise.
        """
        self._absent_classes = contour["absent_classes"] if contour else ""
        self._contour = contour and ContourScore(
            num_classes, ignore_index=ignore_index, tolerance=contour["tolerance"]
        )
        self._boundary = boundary and BoundaryScore(
            ignore_index=ignore_index, tolerance=boundary["tolerance"]
        )

    def update(self, ground_truth: np.ndarray, prediction: np.ndarray) -> None:
        """Add one image; both masks uint8 (H, W), without unsure pixels in the prediction.

        Raises:
            ValueError: Sizes differ.
        """
        for score in (self._contour, self._boundary):
            if score:
                score.update(ground_truth, prediction)

    def summary(self, matrix: np.ndarray) -> dict[str, float]:
        """Return what is asked for, as fractions.

        That is contour_f and j_and_f (HFPL sec. 5.1), and boundary_recall, boundary_precision and
        boundary_f1 (EPS sec. 5.1).

        Args:
            matrix: Confusion matrix (K, K) of the same images.
        """
        found: dict[str, float] = {}
        if self._contour:
            joined = region_and_contour(matrix, self._contour, absent_classes=self._absent_classes)
            found |= {name: joined[name] for name in ("contour_f", "j_and_f")}
        if self._boundary:
            found |= self._boundary.summary()
        return found
