"""Draw example images of a data set beside their ground truth."""

from pathlib import Path

from wsss.data.images import read_image
from wsss.data.index import read_ground_truth, read_index
from wsss.figures.data_sheet import data_sheet
from wsss.figures.examples import choose_examples, write_tile
from wsss.figures.style import save_figure
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar

log_to(snakemake.log[0])
params = snakemake.params
index = read_index(Path(snakemake.input.index), Path(snakemake.input.classes))
examples = choose_examples(
    index,
    split=params.split,
    per_class=params.per_class,
    random_seed=params.example_seed,
    among=None,
)
ground_truth = read_ground_truth(Path(snakemake.input.ground_truth))
figure = data_sheet(index, ground_truth, examples, width=params.width)
save_figure(figure, Path(snakemake.output.pdf))
save_figure(figure, Path(snakemake.output.png))
write_tile(Path(snakemake.output.tile), read_image(examples[-1].record.path), side=params.tile_side)
write_sidecar(
    snakemake.output.sidecar,
    section="data",
    title=f"Images of {snakemake.wildcards.dataset}",
    caption="Random images of each class and their masks; hatched: the class's usual background.",
    notes=[],
    alt=f"One row for each of {', '.join(index.classes)}: images, each beside its mask.",
)
