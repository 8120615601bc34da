"""Draw the candidate pool by kind, the best-ranked candidates of each class, and the pruning."""

from pathlib import Path

from wsss.data.candidates import find_candidates, read_candidates
from wsss.data.images import read_image
from wsss.data.index import read_ground_truth
from wsss.figures.examples import write_tile
from wsss.figures.ood_sheet import hard_sheet, pool_sheet, pruned_sheet
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
ranked = find_candidates(candidates, ranking["image_id"].tolist())
paths_of = {image_id: record.path for image_id, record in ranked.items()}
pool_text = "The first candidates of each kind; the number is how many there are."
hard_text = (
    "The candidates that the classifier is surest of, class by class, with its score p(c). "
    "Blue frame: kept as hard OoD image; orange frame: rejected, since it holds an object; "
    "no frame: undecided and not used."
)
pruned_text = (
    "The candidates that the classifier is surest of, class by class, with its score p(c): those "
    "that are kept as hard OoD images (blue frame) beside those rejected, since they hold an "
    "object (orange frame). The numbers are how many there are of each."
)
pool = pool_sheet(read_candidates(candidates), truth, **size)
hard = hard_sheet(paths_of, ranking, decisions, **size)
pruned = pruned_sheet(paths_of, ranking, decisions, **size)
for kind, figure, title, text in (
    ("pool", pool, "Candidate pool", pool_text),
    ("hard", hard, "Highest-scored candidates", hard_text),
    ("pruned", pruned, "Kept and rejected", pruned_text),
):
    for suffix in ("pdf", "png"):
        save_figure(figure, Path(getattr(out, f"{kind}_{suffix}")))
    sidecar = Path(getattr(out, f"{kind}_sidecar"))
    write_sidecar(sidecar, section="ood", title=title, caption=text, notes=[], alt=text)
write_tile(
    Path(out.tile), read_image(paths_of[ranking["image_id"].iloc[-1]]), side=params.tile_side
)
