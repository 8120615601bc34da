"""Precision and recall of the classes of small and of large objects, as dots of several arms."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from wsss.figures.dots import dot_key, dot_lines
from wsss.figures.metric_names import SIZES, metric_of
from wsss.figures.selection import overall, protocol_note, select_stage
from wsss.figures.style import ArmStyle, footnote, house_style, new_figure

TITLES = {"foreground": "all sizes", "small": "small", "medium": "medium", "large": "large"}


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    stage: str,
    split: str,
    threshold_policy: str,
    scores: Sequence[str],
) -> Figure:
    """Draw one panel per score with one line per size, and on it a dot per arm.

    Sizes are groups of classes (dissertation Table 3.5); one without classes is left out. A dot is
    the mean over random seeds, its whisker one sample standard deviation to each side.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain.
        styles: Look of each label.
        stage: Stage at which the chains are compared.
        split: Split of the metrics.
        threshold_policy: As in `select_stage`.
        scores: Any of precision, recall and f1, one panel each.

    Raises:
        ValueError: A chain is missing, or the scores by object size are.
    """
    rows = select_stage(
        table, labels=labels, stage=stage, split=split, threshold_policy=threshold_policy
    )
    names = list(dict.fromkeys(labels.values()))
    counts = {size: int(overall(rows, f"num_classes_{size}")["value"].max()) for size in SIZES}
    sizes = [size for size in SIZES if counts[size]]
    with house_style():
        figure = new_figure(7.4, 1.25 + len(sizes) * (0.2 + 0.1 * len(names)))
        grid = figure.subplots(1, len(scores), squeeze=False, sharey=True)[0]
        for axes, score in zip(grid, scores, strict=True):
            parts = [overall(rows, f"{score}_{size}").assign(size=size) for size in sizes]
            groups = pd.concat(parts).groupby(["size", "label"], sort=False)["value"]
            mean, sd = 100 * groups.mean().unstack(), 100 * groups.std(ddof=1).unstack()
            dot_lines(axes, mean.loc[sizes, names], sd.loc[sizes, names], styles=styles, reach=0.28)
            axes.set_xlabel(metric_of(score).heading)
            texts = [f"{TITLES[size]}\n{_classes(counts[size])}" for size in sizes]
            axes.set_yticks(range(len(sizes)), texts)
        dot_key(figure, names, styles)
        note = "classes by the mean share of an image that they cover; "
        footnote(figure, note + protocol_note(rows, stage, split, of="dot"))
    return figure


def _classes(count: int) -> str:
    return f"{count} class{'' if count == 1 else 'es'}"
