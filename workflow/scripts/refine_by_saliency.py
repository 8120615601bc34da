"""Pseudo-masks of one shard: those of another refiner, checked against saliency maps."""

from pathlib import Path

from wsss.data.index import read_index, shard_of
from wsss.logs import log_to
from wsss.progress import progress
from wsss.refine.saliency import refine
from wsss.store.mask_folders import write_masks
from wsss.store.masks import read_mask
from wsss.store.saliency import read_saliency_map

log_to(snakemake.log[0])
index = read_index(snakemake.input.index, snakemake.input.classes)
records = shard_of(index.split("train"), int(snakemake.wildcards.shard), snakemake.params.shards)
masks = (
    (
        record.image_id,
        refine(
            read_mask(Path(snakemake.input.pseudo_masks, f"{record.image_id}.png")),
            read_saliency_map(Path(snakemake.input.saliency, f"{record.image_id}.png")),
            index.class_ids(record),
            **snakemake.params.options,
        ),
    )
    for record in records
)
write_masks(
    snakemake.output.pseudo_masks,
    progress(masks, total=len(records), description="refine by saliency"),
)
