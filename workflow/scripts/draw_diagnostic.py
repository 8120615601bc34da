"""Draw a diagnostic from its measurements of all chains and random seeds."""

from importlib import import_module
from pathlib import Path

from wsss.figures.style import arm_styles, save_figure
from wsss.logs import log_to
from wsss.report.collect import collect_tables
from wsss.report.sidecar import write_sidecar

log_to(snakemake.log[0])
params, outputs = snakemake.params, snakemake.output
diagnostic = params.diagnostic
table = collect_tables([Path(path) for path in snakemake.input.tables], ["random_seed"])
drawing = import_module(f"wsss.figures.{diagnostic['diagnostic']}").draw(
    table, labels=params.labels, styles=arm_styles(params.all_labels), **params.options
)
save_figure(drawing, Path(outputs.pdf))
save_figure(drawing, Path(outputs.png))
write_sidecar(
    outputs.sidecar,
    section=diagnostic["section"],
    title=diagnostic["title"],
    caption=diagnostic["caption"],
    notes=params.notes,
    alt=f"{diagnostic['title']}. The numbers stand in the files {Path(outputs.png).stem}.csv of "
    "the results.",
)
