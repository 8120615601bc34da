"""The sentence under a results table."""

import pandas as pd
import pytest

from wsss.report.reading import reading_sentence


@pytest.mark.parametrize(
    ("means", "sd", "n", "expected"),
    [
        ((0.30, 0.35), 0.01, 3, "Best mIoU: b, 35.0 %, 5.0 points above a, 5.0 times the larger"),
        ((0.30, 0.305), 0.01, 3, "within one standard deviation: read it as a tie."),
        ((0.30, 0.35), float("nan"), 1, "with one random seed nobody can say"),
        ((0.35, 0.30), 0.01, 3, "nothing in this table beats the reference"),
    ],
)
def test_gains_are_weighed_against_the_spread(
    means: tuple[float, float], sd: float, n: int, expected: str
) -> None:
    summary = pd.DataFrame({"label": ["a", "b"], "metric": "miou", "mean": means, "sd": sd, "n": n})
    assert expected in reading_sentence(summary)


def test_lower_can_be_better() -> None:
    summary = pd.DataFrame(
        {"label": ["a", "b"], "metric": "confusion_ratio", "mean": [1.0, 0.7], "sd": 0.1, "n": 3}
    )
    assert "b, 0.70, 0.30 below a" in reading_sentence(summary)
