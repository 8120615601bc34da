"""Region overlap and contour quality in one number (HFPL sec. 5.1, after the DAVIS benchmark)."""

import numpy as np

from wsss.metrics.confusion import summarise, summarise_plain
from wsss.metrics.contour import ContourScore

ABSENT_CLASSES = ("one", "left_out")


def region_and_contour(
    matrix: np.ndarray, contour: ContourScore, *, absent_classes: str
) -> dict[str, float]:
    """Return miou (J), contour_f (F) and their mean, j_and_f, as fractions.

    J is the mean IoU over the classes with background, from one confusion matrix of the whole data
    set; F is the mean contour F-score over the foreground classes. j_and_f is nan if either is.

    Args:
        matrix: integers (K,K), rows ground truth, columns predictions.
        contour: of the same images and classes.
        absent_classes: classes that occur neither in the ground truth nor in a prediction.
            "left_out" of both means; "one": as in arvijj/hfpl they count as 1 in F, and as 0 in J.

    Raises:
        KeyError: another word for absent_classes.
        ValueError: the matrix and the contour score have different numbers of classes.
    """
    if absent_classes not in ABSENT_CLASSES:
        raise KeyError(f"absent_classes is {absent_classes!r}; known: {', '.join(ABSENT_CLASSES)}")
    if len(matrix) != contour.num_classes:
        raise ValueError(
            f"the confusion matrix has {len(matrix)} classes and the contour score "
            f"{contour.num_classes}; make both for the same data set"
        )
    region = (summarise_plain if absent_classes == "one" else summarise)(matrix)["miou"]
    edge = contour.summary(absent_classes=absent_classes)["contour_f"]
    return {"miou": region, "contour_f": edge, "j_and_f": (region + edge) / 2}
