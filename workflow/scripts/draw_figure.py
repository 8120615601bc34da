"""Draw a figure from a collected table."""

import importlib
from pathlib import Path

from wsss.figures.selection import only_seeds
from wsss.figures.style import arm_styles, save_figure
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.tables import read_table

log_to(snakemake.log[0])
figure = snakemake.params.figure
table = read_table(snakemake.input.table, ["dataset", "classifier", "random_seed"])
drawing = importlib.import_module(f"wsss.figures.{figure['figure']}").draw(
    only_seeds(table, snakemake.params.random_seeds),
    labels={chain: label for label, chain in figure["chains"].items()},
    styles=arm_styles(snakemake.params.all_labels),
    **snakemake.params.options,
)
save_figure(drawing, Path(snakemake.output.pdf))
save_figure(drawing, Path(snakemake.output.png))
write_sidecar(
    snakemake.output.sidecar,
    section=figure["section"],
    title=figure["title"],
    caption=figure["caption"],
    notes=[],
    alt=f"{figure['title']}. The numbers stand in the tables of this page.",
)
