"""Masks of one shard from its maps alone: pseudo-masks, or what a refiner's network learns from."""

from functools import partial
from importlib import import_module

from wsss.config.thresholds import with_thresholds
from wsss.data.images import read_image
from wsss.data.index import read_index, shard_of
from wsss.logs import log_to
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.refine.map_items import refine_item
from wsss.store.maps import MapReader
from wsss.store.mask_folders import write_masks
from wsss.store.thresholds import read_thresholds

log_to(snakemake.log[0])
module, function = snakemake.params.module, snakemake.params.function
refine = getattr(import_module(f"wsss.refine.{module}"), function)
index = read_index(snakemake.input.index, snakemake.input.classes)
thresholds = snakemake.input.thresholds
options = with_thresholds(
    snakemake.params.options, read_thresholds(thresholds) if thresholds else {}
)
records = shard_of(index.split("train"), int(snakemake.wildcards.shard), snakemake.params.shards)
with MapReader([snakemake.input.maps]) as reader:

    def items():
        """Read the inputs of every image."""
        for record in records:
            maps = reader.read_full(record.image_id)
            yield record.image_id, read_image(record.path), maps.maps, maps.class_ids

    masks = parallel_map(partial(refine_item, refine, options), items(), workers=snakemake.threads)
    write_masks(snakemake.output.masks, progress(masks, total=len(records), description=module))
