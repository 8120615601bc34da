"""Draw a figure from a collected table."""

import importlib
from pathlib import Path

from wsss.figures.style import arm_styles, save_figure
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.tables import read_table

log_to(snakemake.log[0])
figure = snakemake.params.figure
drawing = importlib.import_module(f"wsss.figures.{figure['figure']}").draw(
    read_table(snakemake.input.table, ["dataset", "classifier", "random_seed"]),
    labels={chain: label for label, chain in figure["chains"].items()},
    styles=arm_styles(snakemake.params.all_labels),
    **figure["options"],
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
