"""Laid-out tables as Markdown and LaTeX."""

from collections.abc import Sequence

import pandas as pd

from wsss.report.table import Cell, layout

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "–": "--", "−": "$-$", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def to_markdown(summary: pd.DataFrame, *, title: str, caption: str, notes: Sequence[str]) -> str:
    """Return a Markdown table with title, caption and protocol; the best value is bold."""
    grid = layout(summary)
    said = [caption, ""] if caption else []
    lines = [f"### {title}", "", *said, *[f"- {note}" for note in notes], ""]
    lines.append("| " + " | ".join(map(_escape_markdown, grid.header)) + " |")
    lines.append("|" + " --- |" + " ---: |" * (len(grid.header) - 1))
    for row in grid.rows:
        lines.append("| " + " | ".join(_markdown_cell(cell) for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _escape_markdown(text: str) -> str:
    for sign in "\\|*_`<":
        text = text.replace(sign, "\\" + sign)
    return text.replace("\n", " ")


def _markdown_cell(cell: Cell) -> str:
    text = _escape_markdown(cell.text)
    text = f"**{text}**" if cell.best else text
    return f"{text} ± {cell.spread}" if cell.spread else text


def to_latex(summary: pd.DataFrame, *, caption: str, label: str, notes: Sequence[str]) -> str:
    r"""Return a `table` environment for the package booktabs; the best value is bold.

    Args:
        summary: What `summarise` returned.
        caption: Caption; the notes follow it, so that the protocol cannot get lost.
        label: What `\ref` refers to.
        notes: The protocol's sentences.
    """
    grid = layout(summary)
    header = [escape_latex(title) for title in grid.header]
    text = escape_latex(" ".join([caption, *notes]))
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{text}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        *[" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in grid.rows],
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Return text with the signs that LaTeX would read as commands written out."""
    return "".join(LATEX_SPECIAL.get(sign, sign) for sign in text)


def _latex_cell(cell: Cell) -> str:
    text = escape_latex(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    return rf"{text} $\pm$ {cell.spread}" if cell.spread else text
