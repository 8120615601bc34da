"""Score label maps (pseudo-masks or predictions) against ground truth."""

from wsss.data.index import read_classes, read_ground_truth, read_index, spurious_pairs
from wsss.logs import log_to
from wsss.metrics.masks import score_masks
from wsss.metrics.tidy import tidy_rows
from wsss.progress import progress
from wsss.store.mask_folders import find_masks
from wsss.store.masks import read_class_mask, read_mask
from wsss.store.rows import write_records

log_to(snakemake.log[0])
index = read_index(snakemake.input.index, snakemake.input.classes)
classes, spurious = read_classes(snakemake.input.classes)
truth = read_ground_truth(snakemake.input.ground_truth)
records = [r for r in index.split(snakemake.params.split) if truth[r.image_id].mask is not None]
chain = {
    key: value
    for key, value in snakemake.wildcards.items()
    if key in ("dataset", "classifier", "localizer", "refiner", "segmenter")
}
rows = []
for name, stage in snakemake.params.stages.items():
    masks = find_masks(snakemake.input[name])
    triples = (
        (
            read_class_mask(truth[r.image_id].mask, num_classes=len(classes) + 1),
            read_mask(masks[r.image_id]),
            read_mask(truth[r.image_id].spurious) if truth[r.image_id].spurious else None,
        )
        for r in records
    )
    found = score_masks(
        progress(triples, total=len(records), description=f"evaluate {stage}"),
        num_classes=len(classes) + 1,
        pairs=spurious_pairs(classes, spurious),
        **snakemake.params.scores,
    )
    place = {**chain, "random_seed": int(snakemake.wildcards.random_seed), "stage": stage}
    rows += tidy_rows(
        found.matrix,
        classes=classes,
        num_images=len(records),
        further=found.further,
        ratios=found.ratios,
        spurious=spurious,
        place={**place, "split": snakemake.params.split},
    )
write_records(snakemake.output.metrics, rows)
