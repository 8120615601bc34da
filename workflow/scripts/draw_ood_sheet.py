"""Draw the candidate pool by kind, and the best-ranked candidates of each class."""

from pathlib import Path

from wsss.data.images import read_image
from wsss.data.index import read_ground_truth, read_index
from wsss.figures.examples import write_tile
from wsss.figures.ood_sheet import hard_sheet, pool_sheet
from wsss.figures.style import save_figure
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.tables import read_table

log_to(snakemake.log[0])
inputs, out, params = snakemake.input, snakemake.output, snakemake.params
index = read_index(Path(inputs.index), Path(inputs.classes))
ranking = read_table(inputs.ranking, ["class_name", "rank", "image_id", "score"])
decisions = read_table(inputs.decisions, ["image_id", "decision"])
truth = read_ground_truth(Path(inputs.ground_truth))
size = {"columns": params.columns, "width": params.width}
pool, hard = pool_sheet(index, truth, **size), hard_sheet(index, ranking, decisions, **size)
for figure, paths in ((pool, (out.pool_pdf, out.pool_png)), (hard, (out.hard_pdf, out.hard_png))):
    for path in paths:
        save_figure(figure, Path(path))
paths_of = {record.image_id: record.path for record in index.records}
write_tile(
    Path(out.tile), read_image(paths_of[ranking["image_id"].iloc[-1]]), side=params.tile_side
)
pool_text = "The first candidates of each kind; the number is how many there are."
hard_text = (
    "The candidates that the classifier is surest of, class by class, with its score p(c). "
    "Blue frame: kept as hard OoD image; orange frame: rejected, since it holds an object; "
    "no frame: undecided and not used."
)
for path, name, text in (
    (out.pool_sidecar, "Candidate pool", pool_text),
    (out.hard_sidecar, "Highest-scored candidates", hard_text),
):
    write_sidecar(path, section="ood", title=name, caption=text, notes=[], alt=text)
