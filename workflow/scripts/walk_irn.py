"""Pseudo-masks of one shard: a random walk of the maps, held back by learnt boundaries."""

from wsss.data.index import read_index, shard_of
from wsss.data.loading import full_image_batches
from wsss.logs import log_to
from wsss.models.irn import boundary_maps
from wsss.progress import progress
from wsss.refine.irn import refine
from wsss.store.maps import MapReader
from wsss.store.mask_folders import write_masks
from wsss.train.device import prepare_device
from wsss.train.networks import load_refiner_network

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
index = read_index(snakemake.input.index, snakemake.input.classes)
records = shard_of(index.split("train"), int(snakemake.wildcards.shard), snakemake.params.shards)
irnet = load_refiner_network(snakemake.input.irnet, method="irn").to(device)
with MapReader([snakemake.input.maps]) as reader:

    def masks():
        """Yield the pseudo-mask of every image."""
        for batch, images in full_image_batches(records, batch_size=snakemake.params.batch_size):
            edges = boundary_maps(irnet, images, crop_size=snakemake.params.crop_size)
            for record, image, edge in zip(batch, images, edges, strict=True):
                maps = reader.read(record.image_id)
                yield (
                    record.image_id,
                    refine(image, maps.maps, maps.class_ids, edge, **snakemake.params.options),
                )

    write_masks(
        snakemake.output.pseudo_masks,
        progress(masks(), total=len(records), description="random walk"),
    )
