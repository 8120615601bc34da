"""One honest sentence on what a results table says."""

import numpy as np
import pandas as pd

from wsss.figures.metric_names import format_value, metric_of


def reading_sentence(summary: pd.DataFrame) -> str:
    """Return how the best arm of the first metric compares with the first row, the reference.

    A gain within the larger of the two standard deviations is called a tie.
    """
    name = summary["metric"].iloc[0]
    metric = metric_of(name)
    own = summary[(summary["metric"] == name) & summary["mean"].notna()]
    if metric.better == "neither" or len(own) < 2:
        return ""
    sign = 1 if metric.better == "higher" else -1
    reference, best = own.iloc[0], own.iloc[int(np.argmax(own["mean"] * sign))]
    unit = " %" if metric.percent else ""
    head = f"Best {metric.title}: {best['label']}, {format_value(name, best['mean'])}{unit}"
    if best["label"] == reference["label"]:
        return f"{head}: nothing in this table beats the reference (its first row)."
    gain = abs(best["mean"] - reference["mean"])
    points = "points " if metric.percent else ""
    text = (
        f"{head}, {format_value(name, gain)} {points}"
        f"{'above' if sign > 0 else 'below'} {reference['label']}"
    )
    spread = np.nanmax([best["sd"], reference["sd"], 0.0])
    if best["n"] < 2 or reference["n"] < 2:
        return f"{text}; with one random seed nobody can say whether that is more than chance."
    if gain <= spread:
        return f"{text}, within one standard deviation: read it as a tie."
    times = f"{gain / spread:.1f} times" if spread else "beyond"
    return f"{text}, {times} the larger standard deviation."
