"""Region overlap: one confusion matrix over a whole data set, and the scores drawn from it."""

import numpy as np


class ConfusionMatrix:
    """Counts of (ground truth, prediction) pixel pairs over all images of a data set.

    Rows are ground truth, columns predictions; pixels whose ground truth is `ignore_index` are
    left out. mIoU is never a mean of per-image values: every image adds to the same matrix.
    """

    def __init__(self, num_classes: int, *, ignore_index: int) -> None:
        """Start an empty matrix for `num_classes` classes, background included (1 to 255)."""
        if not 1 <= num_classes <= 255:
            raise ValueError(f"num_classes is {num_classes}; uint8 masks can hold 1 to 255")
        if 0 <= ignore_index < num_classes:
            raise ValueError(
                f"ignore_index {ignore_index} is also the number of a class; choose one of "
                f"{num_classes} to 255"
            )
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.matrix = np.zeros((num_classes, num_classes), np.int64)

    def update(self, ground_truth: np.ndarray, prediction: np.ndarray) -> None:
        """Add one image.

        Args:
            ground_truth: uint8 (H,W), 0 to num_classes - 1 or ignore_index.
            prediction: uint8 (H,W), 0 to num_classes - 1.

        Raises:
            ValueError: sizes differ, or a label is out of range. A prediction of 255 (unsure) is
                out of range too: decide with `unsure_as_background` first.
        """
        classes = self.num_classes
        if ground_truth.shape != prediction.shape:
            raise ValueError(
                f"ground truth is {ground_truth.shape} and prediction {prediction.shape}; "
                "bring the prediction to the size of the image"
            )
        if prediction.size and prediction.max() >= classes:
            raise ValueError(
                f"the prediction holds label {prediction.max()}, but there are {classes} classes; "
                "unsure pixels (255) need unsure_as_background"
            )
        rows = ground_truth_rows(ground_truth, classes, ignore_index=self.ignore_index)
        pairs = rows.astype(np.intp) * classes + prediction
        counts = np.bincount(pairs.ravel(), minlength=(classes + 1) * classes)
        self.matrix += counts.reshape(classes + 1, classes)[:classes]

    def merge(self, other: "ConfusionMatrix") -> None:
        """Add the counts of another part of the same data set.

        Raises:
            ValueError: the other matrix has another number of classes.
        """
        if other.num_classes != self.num_classes:
            raise ValueError(
                f"cannot merge confusion matrices of {self.num_classes} and {other.num_classes} "
                "classes; they belong to different data sets"
            )
        self.matrix += other.matrix

    def iou(self) -> np.ndarray:
        """Return the intersection over union per class (K,); nan where the union is empty."""
        return iou(self.matrix)

    def precision(self) -> np.ndarray:
        """Return the precision per class (K,); nan where the union is empty."""
        return precision(self.matrix)

    def recall(self) -> np.ndarray:
        """Return the recall per class (K,); nan where the union is empty."""
        return recall(self.matrix)

    def f1(self) -> np.ndarray:
        """Return the F1 score per class (K,); nan where the union is empty."""
        return f1(self.matrix)

    def summary(self) -> dict[str, float]:
        """Return the scores of the whole data set, as `summarise` does."""
        return summarise(self.matrix)


def ground_truth_rows(
    ground_truth: np.ndarray, num_classes: int, *, ignore_index: int
) -> np.ndarray:
    """Return the matrix row of every pixel: its class, or num_classes where it is ignored.

    Args:
        ground_truth: uint8 (H,W).
        num_classes: classes with background.
        ignore_index: the label that is left out.

    Raises:
        TypeError: the mask is not uint8.
        ValueError: a label is neither a class nor ignore_index.
    """
    if ground_truth.dtype != np.uint8:
        raise TypeError(f"masks are uint8, not {ground_truth.dtype}; convert the ground truth")
    table = np.full(256, 255, np.uint8)
    table[:num_classes] = np.arange(num_classes)
    if 0 <= ignore_index < 256:
        table[ignore_index] = num_classes
    rows = table[ground_truth]
    if num_classes < 255 and rows.size and rows.max() > num_classes:
        wrong = ground_truth[rows > num_classes].flat[0]
        raise ValueError(
            f"the ground truth holds label {wrong}, but there are {num_classes} classes and "
            f"ignored pixels are {ignore_index}; check the list of classes"
        )
    return rows


def unsure_as_background(prediction: np.ndarray, *, ignore_index: int) -> np.ndarray:
    """Return a copy of a label map (H,W) whose unsure pixels (ignore_index) are background.

    This is how maps of confident labels with unsure pixels are usually scored; without it,
    `ConfusionMatrix.update` refuses them.
    """
    return np.where(prediction == ignore_index, 0, prediction).astype(prediction.dtype)


def iou(matrix: np.ndarray) -> np.ndarray:
    """Return IoU per class (K,) of a matrix (K,K); nan where the union is empty."""
    return _ratio(np.diag(matrix), _union(matrix), _union(matrix) > 0)


def precision(matrix: np.ndarray) -> np.ndarray:
    """Return the precision per class (K,) of a matrix (K,K).

    It is nan where the union is empty, and 0 for a class that occurs but is never predicted.
    """
    return _ratio(np.diag(matrix), matrix.sum(0), _union(matrix) > 0)


def recall(matrix: np.ndarray) -> np.ndarray:
    """Return the recall per class (K,) of a matrix (K,K).

    It is nan where the union is empty, and 0 for a class that is predicted but never occurs.
    """
    return _ratio(np.diag(matrix), matrix.sum(1), _union(matrix) > 0)


def f1(matrix: np.ndarray) -> np.ndarray:
    """Return the F1 score per class (K,) of a matrix (K,K); nan where the union is empty."""
    return _ratio(2 * np.diag(matrix), matrix.sum(0) + matrix.sum(1), _union(matrix) > 0)


def summarise(matrix: np.ndarray) -> dict[str, float]:
    """Return the scores of a data set as fractions.

    miou, precision, recall and f1 are means over the classes with a non-empty union; their number
    is num_classes. pixel_accuracy is over all pixels. Everything is nan for an empty matrix.

    Args:
        matrix: integers (K,K), rows ground truth, columns predictions.
    """
    counted = _union(matrix) > 0
    summary = {
        "miou": _mean(iou(matrix)[counted]),
        "precision": _mean(precision(matrix)[counted]),
        "recall": _mean(recall(matrix)[counted]),
        "f1": _mean(f1(matrix)[counted]),
        "pixel_accuracy": float(_ratio(np.trace(matrix), matrix.sum(), matrix.sum() > 0)),
        "num_classes": float(counted.sum()),
    }
    return summary


def summarise_deeplab(matrix: np.ndarray) -> dict[str, float]:
    """Return the scores as kazuto1011/deeplab-pytorch defines them, as fractions.

    Unlike `summarise`, the means run over the classes that occur in the ground truth, so a class
    that is only predicted costs nothing. mean_accuracy is the mean recall.

    Args:
        matrix: integers (K,K), rows ground truth, columns predictions.
    """
    occurs = matrix.sum(1) > 0
    return {
        "pixel_accuracy": float(_ratio(np.trace(matrix), matrix.sum(), matrix.sum() > 0)),
        "mean_accuracy": _mean(recall(matrix)[occurs]),
        "frequency_weighted_iou": _frequency_weighted(matrix),
        "miou": _mean(iou(matrix)[occurs]),
    }


def summarise_plain(matrix: np.ndarray) -> dict[str, float]:
    """Return plain means over all K classes, where a class with an empty union counts as zero.

    naver-ai/w-ood and halbielee/EPS take such means (a missing class makes theirs nan),
    arvijj/hfpl counts the missing class as zero.

    Args:
        matrix: integers (K,K), rows ground truth, columns predictions.
    """
    return {
        "pixel_accuracy": float(_ratio(np.trace(matrix), matrix.sum(), matrix.sum() > 0)),
        "precision": _mean(np.nan_to_num(precision(matrix))),
        "recall": _mean(np.nan_to_num(recall(matrix))),
        "miou": _mean(np.nan_to_num(iou(matrix))),
        "frequency_weighted_iou": _frequency_weighted(matrix),
    }


def _union(matrix: np.ndarray) -> np.ndarray:
    return matrix.sum(0) + matrix.sum(1) - np.diag(matrix)


def _frequency_weighted(matrix: np.ndarray) -> float:
    weighted = (matrix.sum(1) * np.nan_to_num(iou(matrix))).sum()
    return float(_ratio(weighted, matrix.sum(), matrix.sum() > 0))


def _ratio(numerator: np.ndarray, denominator: np.ndarray, defined: np.ndarray) -> np.ndarray:
    return np.where(defined, numerator / np.maximum(denominator, 1), np.nan)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
