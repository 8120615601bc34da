"""Draw the localization maps of several chains side by side."""

from contextlib import ExitStack
from pathlib import Path

from wsss.data.index import read_ground_truth, read_index
from wsss.figures.examples import choose_examples, write_tile
from wsss.figures.map_panel import map_panel
from wsss.figures.style import save_figure
from wsss.figures.tiles import picture_at
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.maps import MapReader

log_to(snakemake.log[0])
panel = snakemake.params.panel
index = read_index(Path(snakemake.input.index), Path(snakemake.input.classes))
with ExitStack() as stack:
    readers = {
        label: stack.enter_context(MapReader([Path(path) for path in paths]))
        for label, paths in snakemake.params.maps.items()
    }
    common = set.intersection(*(set(reader.image_ids) for reader in readers.values()))
    examples = choose_examples(
        index, split=panel["split"], per_class=panel["per_class"],
        random_seed=panel["example_seed"], among=common,
    )  # fmt: skip
    truth = read_ground_truth(Path(snakemake.input.ground_truth))
    figure = map_panel(index, truth, readers, examples, width=panel["width"])
# The last row's maps by the first and the last arm stand for two steps of the report's sketch.
for path, place in ((snakemake.output.first_tile, -len(readers)), (snakemake.output.tile, -1)):
    write_tile(Path(path), picture_at(figure, place), side=snakemake.params.tile_side)
save_figure(figure, Path(snakemake.output.pdf))
save_figure(figure, Path(snakemake.output.png))
write_sidecar(
    snakemake.output.sidecar, section="maps", title=panel["title"], caption=panel["caption"],
    notes=[], alt=f"Rows of images with their masks and the maps of {', '.join(readers)}.",
)  # fmt: skip
