"""Draw the candidate pool by kind, and the best-ranked candidates of each class."""

from pathlib import Path

from wsss.data.candidates import find_candidates, read_candidates
from wsss.data.images import read_image
from wsss.data.index import read_ground_truth
from wsss.figures.examples import write_tile
from wsss.figures.ood_sheet import hard_sheet, pool_sheet
from wsss.figures.style import save_figure
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.tables import read_table

log_to(snakemake.log[0])
inputs, out, params = snakemake.input, snakemake.output, snakemake.params
candidates = Path(inputs.candidates)
ranking = read_table(inputs.ranking, ["class_name", "rank", "image_id", "score"])
decisions = read_table(inputs.decisions, ["image_id", "decision"])
truth = read_ground_truth(Path(inputs.ground_truth))
size = {"columns": params.columns, "width": params.width}
pool = pool_sheet(read_candidates(candidates), truth, **size)
ranked = find_candidates(candidates, ranking["image_id"].tolist())
paths_of = {image_id: record.path for image_id, record in ranked.items()}
hard = hard_sheet(paths_of, ranking, decisions, **size)
for figure, paths in ((pool, (out.pool_pdf, out.pool_png)), (hard, (out.hard_pdf, out.hard_png))):
    for path in paths:
        save_figure(figure, Path(path))
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
