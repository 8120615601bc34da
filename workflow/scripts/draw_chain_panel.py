"""Draw what each step of a chain makes of images."""

from pathlib import Path

from wsss.data.index import read_ground_truth, read_index
from wsss.figures.chain_panel import chain_panel
from wsss.figures.examples import choose_examples, write_tile
from wsss.figures.style import save_figure
from wsss.figures.tiles import picture_at
from wsss.logs import log_to
from wsss.report.sidecar import write_sidecar
from wsss.store.mask_folders import find_masks
from wsss.store.masks import read_mask

log_to(snakemake.log[0])
panel = snakemake.params.panel
index = read_index(Path(snakemake.input.index), Path(snakemake.input.classes))
files = {
    title: find_masks([Path(folder) for folder in folders])
    for title, folders in snakemake.params.masks.items()
}
known = set().union(*files.values())
examples = choose_examples(
    index, split=panel["split"], per_class=panel["per_class"],
    random_seed=panel["example_seed"], among=known,
)  # fmt: skip
ids = [example.record.image_id for example in examples]
steps = {
    title: {image_id: read_mask(own[image_id]) for image_id in ids if image_id in own}
    for title, own in files.items()
}
truth = read_ground_truth(Path(snakemake.input.ground_truth))
figure = chain_panel(index, truth, steps, examples, width=panel["width"])
write_tile(snakemake.output.tile, picture_at(figure, -2), side=snakemake.params.tile_side)
save_figure(figure, Path(snakemake.output.pdf))
save_figure(figure, Path(snakemake.output.png))
write_sidecar(
    snakemake.output.sidecar, section="segmentation", title=panel["title"],
    caption=panel["caption"], notes=[], alt=f"Rows of images with {', '.join(steps)}, and truth.",
)  # fmt: skip
