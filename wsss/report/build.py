"""Puts the report together from files: tables and pictures, each with its sidecar."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from wsss.data.candidates import count_candidates
from wsss.data.index import read_classes, read_index
from wsss.figures.cost import cost_bars
from wsss.figures.metric_names import METRICS
from wsss.figures.style import picture_bytes
from wsss.plan.spent import Costs
from wsss.report.ood_collection import (
    AGREEMENT,
    ANNOTATORS,
    SUMMARY_OF_DECISIONS,
    agreement_sentences,
    collection_table,
    deciders,
    pruning_table,
)
from wsss.report.page import PageFigure, PageTable, Section, embed, plain_grid, render_page
from wsss.report.reading import reading_sentence
from wsss.report.runs import cost_table, machine, software
from wsss.report.sidecar import read_sidecar
from wsss.report.sketch import chain_svg
from wsss.report.table import SUMMARY_COLUMNS, Grid, layout
from wsss.store.tables import read_table

TEXTS = Path(__file__).with_name("text")
TITLES = {
    "data": "The data",
    "ood": "Collecting OoD images",
    "results": "Results",
    "classes": "Class by class",
    "maps": "Maps, seen",
    "segmentation": "From map to mask",
    "training": "Training",
}


def build_report(
    *,
    title: str,
    about: str,
    tables: Sequence[Path],
    pictures: Sequence[Path],
    steps: Mapping[str, Path],
    datasets: Mapping[str, tuple[Path, Path, Path]],
    ood_sets: Mapping[str, tuple[Path, Path, Path]],
    pruned_by: Mapping[str, tuple[Path, Path]],
    resolved_config: Path,
    costs: Costs,
    facts: Mapping[str, str],
) -> str:
    """Return the report as one HTML page.

    Args:
        title: Title of the page.
        about: What this run is about, plain text under the general introduction; may be empty.
        tables: CSV files, each with its sidecar (`wsss/report/sidecar.py`) beside it; those with
            the columns of `summarise` are laid out in percent, others as they are.
        pictures: PNG files, each with its sidecar beside it.
        steps: Small PNG for any of the sketch's steps (`wsss/report/sketch.py`).
        datasets: index.csv, candidates.csv and classes.csv of each data set.
        ood_sets: ranking_summary.csv, decisions_summary.csv and decisions.csv by OoD set.
        pruned_by: annotators.csv and agreement.csv by OoD set, of those that people decided on.
        resolved_config: The configuration with all defaults filled in, as text.
        costs: What the run did cost so far.
        facts: What stands in the strip under the title (data set, code version, ...).

    Raises:
        ValueError: A sidecar is missing or a file cannot be read.
    """
    parts = [Section("chain", "What was done", _chain_text(steps))]
    page_tables = [(read_sidecar(path)["section"], _table(path)) for path in tables]
    page_tables += [("data", _dataset_table(name, *files)) for name, files in datasets.items()]
    for name, files in ood_sets.items():
        page_tables.append(("ood", _ood_table(name, *files)))
        if name in pruned_by:
            page_tables.append(("ood", _pruning_table(name, *pruned_by[name])))
    page_figures = [(read_sidecar(path)["section"], _figure(path)) for path in pictures]
    for anchor, heading in TITLES.items():
        own_tables = [table for section, table in page_tables if section == anchor]
        own_figures = [figure for section, figure in page_figures if section == anchor]
        if own_tables or own_figures:
            parts.append(Section(anchor, heading, _text(anchor), own_tables, own_figures))
    parts.append(Section("metrics", "What the metrics mean", _metric_terms()))
    parts.append(_provenance(resolved_config, costs))
    parts.append(Section("glossary", "Glossary", _terms(_text("glossary"))))
    parts.append(Section("references", "References", _text("references")))
    introduction = _text("introduction") + _paragraph(about)
    return render_page(title=title, introduction=introduction, sections=parts, facts=facts)


def _text(name: str) -> Markup:
    return Markup((TEXTS / f"{name}.html").read_text("utf-8"))


def _paragraph(text: str) -> Markup:
    return Markup("<p><strong>This run.</strong> {}</p>").format(text) if text else Markup("")


def _chain_text(steps: Mapping[str, Path]) -> Markup:
    sketch = Markup('<div class="scroll">') + chain_svg(steps) + Markup("</div>")
    return _text("chain") + sketch + _text("chain_after")


def _terms(entries: Markup) -> Markup:
    return Markup('<dl class="terms">') + entries + Markup("</dl>")


def _metric_terms() -> Markup:
    better = {"higher": "Higher is better.", "lower": "Lower is better.", "neither": ""}
    terms = {metric.family or metric.title: metric for metric in METRICS.values()}
    return _terms(
        Markup("").join(
            Markup("<dt>{}</dt><dd>{} {}</dd>").format(term, metric.meaning, better[metric.better])
            for term, metric in terms.items()
        )
    )


def _table(path: Path) -> PageTable:
    card = read_sidecar(path)
    table = read_table(path, [])
    if set(SUMMARY_COLUMNS) <= set(table.columns):
        # Labels are any text, and a table of labels that look like numbers must not become numbers.
        table["label"] = table["label"].astype(str)
        return _page_table(card, layout(table), reading_sentence(table))
    return _page_table(card, plain_grid(table), "")


def _page_table(card: Mapping[str, Any], grid: Grid, reading: str) -> PageTable:
    return PageTable(card["title"], card["caption"], card["notes"], reading, grid)


def _figure(path: Path) -> PageFigure:
    card = read_sidecar(path)
    png = Path(path).read_bytes()
    if not png.startswith(b"\x89PNG"):
        raise ValueError(f"{path} is no PNG file; draw it again")
    return PageFigure(card["title"], card["caption"], card["notes"], card["alt"], *embed(png))


def _dataset_table(
    name: str, index_csv: Path, candidates_csv: Path, classes_csv: Path
) -> PageTable:
    index = read_index(index_csv, classes_csv)
    spurious = read_classes(classes_csv)[1]
    splits = list(dict.fromkeys(record.split for record in index.records))
    rows = [
        {
            "class": class_name,
            **{
                split: sum(r.split == split and class_name in r.labels for r in index.records)
                for split in splits
            },
            "ood": 0,
            "usual companion": ", ".join(
                background.replace("_", " ") for background, _ in spurious.get(class_name, ())
            )
            or "–",
        }
        for class_name in index.classes
    ]
    total = {split: sum(r.split == split for r in index.records) for split in splits}
    total["ood"] = count_candidates(candidates_csv)
    rows.append({"class": "all images", **total, "usual companion": ""})
    caption = "Images that contain each class, by split. The split “ood” is the candidate pool."
    return PageTable(f"Data set {name}", caption, [], "", plain_grid(pd.DataFrame(rows)))


def _ood_table(name: str, ranking_csv: Path, summary_csv: Path, decisions_csv: Path) -> PageTable:
    table = collection_table(
        read_table(ranking_csv, ["class_name", "num_candidates"]),
        read_table(summary_csv, SUMMARY_OF_DECISIONS),
    )
    caption = (
        "Candidates and what became of them. The positive rate r is the share of those looked at "
        "that was rejected because it holds an object, with its 95 % interval (Wilson); the last "
        "column is the number that a person looks at to keep 100, 100 / (1 − r)."
    )
    notes = deciders(read_table(decisions_csv, ["decided_by"]))
    return PageTable(f"OoD set {name}", caption, notes, "", plain_grid(table))


def _pruning_table(name: str, annotators_csv: Path, agreement_csv: Path) -> PageTable:
    caption = (
        "What each person did; a disagreement of others is settled by a further look. A decision’s "
        "time is that since the one before; breaks of over a minute are left out of it."
    )
    notes = agreement_sentences(read_table(agreement_csv, AGREEMENT))
    grid = plain_grid(pruning_table(read_table(annotators_csv, ANNOTATORS)))
    return PageTable(f"Pruning: who decided on {name}", caption, notes, "", grid)


def _provenance(resolved_config: Path, costs: Costs) -> Section:
    table = cost_table(costs)
    found = PageTable(
        "What it cost",
        "Wall time of the jobs times the cores, or GPUs, that they held, as the workflow measured "
        "it on the machine of each job; a job that was not needed again keeps the cost of the run "
        "that made its files.",
        costs.notes,
        "",
        plain_grid(table),
    )
    return Section(
        "protocol",
        "Protocol and provenance",
        _text("protocol"),
        [found],
        [_cost_figure(table)] if len(table) else [],
        folded={
            "Resolved configuration": Path(resolved_config).read_text("utf-8"),
            "Machine and software that wrote this page": "\n".join(
                f"{name}: {value}" for name, value in {**machine(), **software()}.items()
            ),
        },
    )


def _cost_figure(table: pd.DataFrame) -> PageFigure:
    rules = table.iloc[:-1]
    largest = ", ".join(rules["rule"].head(3))
    return PageFigure(
        "Where the time went",
        "By rule, with its number of jobs in brackets.",
        [],
        f"Bars of the hours of each rule; the largest are {largest}. The table has the numbers.",
        *embed(picture_bytes(cost_bars(rules), "png")),
    )
