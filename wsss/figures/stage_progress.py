"""How a chain's quality grows from the seed over the pseudo-mask to the segmentation."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from wsss.figures.curves import label_line_ends
from wsss.figures.metric_names import metric_of, scale
from wsss.figures.selection import STAGE_TITLES, overall, select_stage
from wsss.figures.style import ArmStyle, footnote, grid_lines, house_style, new_figure


def draw(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    styles: Mapping[str, ArmStyle],
    stages: Mapping[str, str],
    threshold_policy: str,
    metric: str,
) -> Figure:
    """Draw one line per chain over the stages; whiskers are one standard deviation over seeds.

    Args:
        table: Tidy metrics (fractions).
        labels: Label of each chain, named down to its last stage.
        styles: Look of each label.
        stages: Split for each stage, in order; the split stands under the stage's name, since
            numbers of different splits are not comparable.
        threshold_policy: As in `select_stage`, for the stages that have a threshold.
        metric: Metric of the vertical axis.

    Raises:
        ValueError: A chain lacks a stage or the metric.
    """
    summary = pd.concat(
        [
            _at_stage(table, labels, stage, stages[stage], threshold_policy, metric)
            for stage in stages
        ]
    )
    with house_style():
        figure = new_figure(7.4, 3.7)
        axes = figure.subplots()
        ends, texts = {}, {}
        for label, own in summary.groupby("label", sort=False):
            style = styles[str(label)]
            axes.errorbar(
                range(len(own)), own["mean"], yerr=own["std"].fillna(0.0), color=style.colour,
                linestyle=style.dash, marker=style.marker, markersize=6, linewidth=1.8, capsize=2.5,
            )  # fmt: skip
            last = float(own["mean"].iloc[-1])
            ends[str(label)] = (len(own) - 1, last)
            texts[str(label)] = f"{label}  {last:.1f}"
        axes.set_xticks(
            range(len(stages)), [f"{STAGE_TITLES[name]}\n{split}" for name, split in stages.items()]
        )
        axes.set_xlim(-0.15, len(stages) - 1 + 0.05)
        axes.set_title(metric_of(metric).heading)
        grid_lines(axes, "y")
        label_line_ends(axes, ends, styles, texts=texts, line_height=0.085)
        seeds = int(summary["count"].max())
        note = f"mean ± 1 sd of {seeds} random seeds" if seeds > 1 else "one random seed"
        chosen = summary["chosen"].any()
        note += "; seed threshold CHOSEN WITH GROUND TRUTH" if chosen else ""
        footnote(figure, note)
    return figure


def _at_stage(
    table: pd.DataFrame,
    labels: Mapping[str, str],
    stage: str,
    split: str,
    threshold_policy: str,
    metric: str,
) -> pd.DataFrame:
    rows = select_stage(
        table, labels=labels, stage=stage, split=split, threshold_policy=threshold_policy
    )
    rows = overall(rows, metric).assign(value=lambda frame: scale(metric) * frame["value"])
    summary = rows.groupby("label", sort=False)["value"].agg(["mean", "std", "count"]).reset_index()
    chosen = (rows["threshold_policy"] == "ground_truth").any()
    return summary.assign(stage=stage, chosen=chosen)
