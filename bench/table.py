"""The benchmarks' tables and their figure."""

from pathlib import Path

import numpy as np
import pandas as pd

from wsss.figures.style import (
    COLOURS,
    FAINT,
    footnote,
    grid_lines,
    house_style,
    new_figure,
    save_figure,
)


def _figures(number: float) -> str:
    """Return a positive number with two or three figures, large ones without an exponent."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def comparison_table(table: pd.DataFrame) -> str:
    """Return the comparisons in Markdown."""
    lines = [
        "| | plain | ours | ratio (goal) | peak memory plain / ours, MiB | difference | runs |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['row']} | {row['plain']:.3g} {row['unit']} | {row['ours']:.3g} {row['unit']} "
            f"| **{_figures(row['ratio'])}** ({row['goal']:g}) "
            f"| {row['plain_mib']:.0f} / {row['ours_mib']:.0f} "
            f"| {row['difference']:.1e} | {row['runs']} |"
        )
    notes = [f"- {row['row']}: {row['inputs']}." for row in table.to_dict("records")]
    return "\n".join([*lines, "", *notes, ""])


def throughput_table(table: pd.DataFrame) -> str:
    """Return images per second, shares of waiting and matmul rate, and a GPU's memory."""
    has_gpu = table["gpu_mib"].notna().any()
    more = (" peak GPU memory, MiB |", "---:|") if has_gpu else ("", "")
    lines = [
        f"| stage | images/s | waiting for images | of the matmul rate |{more[0]}",
        f"|---|---:|---:|---:|{more[1]}",
    ]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['stage']} | {row['images_per_s']:.3g} | {row['waiting']:.1%} "
            f"| {row['of_matmul_rate']:.0%} |" + (f" {row['gpu_mib']:,.0f} |" if has_gpu else "")
        )
    return "\n".join([*lines, ""])


def chain_table(table: pd.DataFrame) -> str:
    """Return the stages' costs in Markdown; the columns that are numbers are sizes."""
    sizes = [column for column in table.columns if isinstance(column, int)]
    head = " | ".join(f"{size} images, s" for size in sizes)
    lines = [
        f"| rule | {head} | per image, s | start, s | off the line |",
        "|---" + "|---:" * (len(sizes) + 3) + "|",
    ]
    for rule, row in table.iterrows():
        seconds = " | ".join(f"{row[size]:.1f}" for size in sizes)
        lines.append(
            f"| {rule} | {seconds} | {row['per_image_s']:.4f} | {row['start_s']:.1f} "
            f"| {row['off_the_line']:.0%} |"
        )
    return "\n".join([*lines, ""])


def scaling_table(table: pd.DataFrame) -> str:
    """Return seconds and peak memory by size in Markdown."""
    lines = ["| | size | s | peak memory, MiB |", "|---|---:|---:|---:|"]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['curve']} | {row['size']:,} {row['unit']} | {row['seconds']:.3g} "
            f"| {row['mib']:.0f} |"
        )
    return "\n".join([*lines, ""])


def projection_table(table: pd.DataFrame) -> str:
    """Return the hours of the papers' experiment in Markdown."""
    lines = ["| stage | images | hours |", "|---|---:|---:|"]
    for row in table.to_dict("records"):
        lines.append(f"| {row['what']} | {row['images']:,} | {_figures(row['hours'])} |")
    return "\n".join([*lines, f"| all | | {_figures(table['hours'].sum())} |", ""])


def planning_line(*, jobs: int, seconds: float) -> str:
    """Return the dry run in words."""
    return f"`snakemake -n` on {jobs} jobs: {seconds:.0f} s.\n"


def draw_ratios(path: Path, table: pd.DataFrame, machine: str) -> None:
    """Draw plain / ours per row on a log axis, with the goal as a mark."""
    with house_style():
        figure = new_figure(7.2, 1.2 + 0.38 * len(table))
        axes = figure.subplots()
        places = np.arange(len(table))[::-1]
        # From 1, to the right where our way is faster.
        axes.barh(places, table["ratio"] - 1, left=1, color=COLOURS[0], height=0.6)
        axes.plot(table["goal"], places, "|", color=COLOURS[1], markersize=16, markeredgewidth=2)
        axes.set_xscale("log")
        axes.set_xlim(min(0.7, table["ratio"].min() / 1.3), table["ratio"].max() * 2.5)
        axes.axvline(1, color=FAINT, linewidth=0.8)
        right_ends = np.maximum(table[["ratio", "goal"]].max(axis=1), 1)
        for place, right, ratio in zip(places, right_ends, table["ratio"], strict=True):
            axes.text(right * 1.1, place, f"{_figures(ratio)}x", va="center", fontsize=8.5)
        axes.set_yticks(places, table["row"])
        axes.set_title("Plain way / our way (orange: goal)")
        grid_lines(axes, "x")
        footnote(figure, machine)
        save_figure(figure, path)


def draw_scaling(path: Path, table: pd.DataFrame, machine: str) -> None:
    """Draw peak memory over size, a panel per unit; the dotted lines grow in proportion."""
    units = list(dict.fromkeys(table["unit"]))
    with house_style():
        figure = new_figure(3.6 * len(units), 3.0)
        for axes, unit in zip(figure.subplots(1, len(units), squeeze=False)[0], units, strict=True):
            curves = table[table["unit"] == unit].groupby("curve", sort=False)
            for colour, (name, curve) in zip(COLOURS, curves, strict=False):
                sizes, memory = curve["size"].to_numpy(), curve["mib"].to_numpy()
                axes.plot(sizes, memory, "o-", color=colour, label=name)
                axes.plot(sizes, memory[0] * sizes / sizes[0], ":", color=colour)
            axes.set(xscale="log", yscale="log", xlabel=unit, ylabel="Peak memory, MiB")
            axes.legend()
            grid_lines(axes, "y")
        footnote(figure, f"{machine}. Dotted: in proportion to the size.")
        save_figure(figure, path)
