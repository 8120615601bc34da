"""Summarise the metrics of a list of chains as CSV, Markdown and LaTeX."""

from pathlib import Path

from wsss.figures.selection import only_seeds
from wsss.logs import log_to
from wsss.report.collect import METRIC_COLUMNS
from wsss.report.formats import to_latex, to_markdown
from wsss.report.map_times import METRIC, map_times, time_notes, with_times
from wsss.report.sidecar import write_sidecar
from wsss.report.table import protocol, summarise
from wsss.store.atomic import atomic_path
from wsss.store.tables import read_table, write_table

log_to(snakemake.log[0])
table, seeds = snakemake.params.table, snakemake.params.random_seeds
times = map_times(
    Path(snakemake.input.metrics).parents[1],
    table["chains"].values() if METRIC in table["metrics"] else (),
    seeds,
    shards=snakemake.params.shards,
)
metrics = only_seeds(read_table(snakemake.input.metrics, METRIC_COLUMNS), seeds)
summary = summarise(
    with_times(metrics, times),
    chains=table["chains"],
    stage=table["stage"],
    split=table["split"],
    metric_names=table["metrics"],
    threshold_policy=table["threshold"],
    pruning=snakemake.params.pruning,
    saw_pixel_labels=snakemake.params.saw_pixel_labels,
    known_saliency=snakemake.params.known_saliency,
    protocols=snakemake.params.protocols,
    expected=table["expected"],
)
notes = [*protocol(summary), *time_notes(table["chains"], times), *table["notes"]]
title, caption = table["title"], table["caption"]
label = f"tab:{Path(snakemake.output.csv).stem}"
texts = {
    snakemake.output.markdown: to_markdown(summary, title=title, caption=caption, notes=notes),
    snakemake.output.latex: to_latex(summary, caption=caption, label=label, notes=notes),
}
write_table(snakemake.output.csv, summary)
for path, text in texts.items():
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")
write_sidecar(
    snakemake.output.sidecar, section="results", title=title, caption=caption, notes=notes, alt=""
)
