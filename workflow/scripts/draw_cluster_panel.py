"""Draw the OoD images nearest to the centres of their clusters."""

from pathlib import Path

from wsss.data.selected import COLUMNS, selected_records
from wsss.figures.cluster_panel import cluster_panel
from wsss.figures.style import save_figure
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.arrays import read_arrays
from wsss.store.tables import read_table

log_to(snakemake.log[0])
panel = snakemake.params.panel
records = selected_records(read_table(snakemake.input.selected, COLUMNS))
names = ("image_ids", "cluster_labels", "cluster_distances")
found, _ = read_arrays(snakemake.input.clusters, names)
figure = cluster_panel(
    {record.image_id: record.path for record in records}, *(found[name] for name in names),
    clusters=panel["clusters"], columns=panel["columns"], width=panel["width"],
)  # fmt: skip
save_figure(figure, Path(snakemake.output.pdf))
save_figure(figure, Path(snakemake.output.png))
write_sidecar(
    snakemake.output.sidecar, section="ood", title=panel["title"], caption=panel["caption"],
    notes=[], alt="Rows of OoD images, each a cluster of their features, its centre at the left.",
)  # fmt: skip
