"""Localization maps of one shard of the training images, for their own classes."""

from importlib import import_module
from inspect import signature

from wsss.data.index import read_index, shard_of
from wsss.data.loading import full_image_batches
from wsss.data.others import OtherImages
from wsss.data.seeds import seed_of
from wsss.logs import log_to
from wsss.progress import progress
from wsss.store.maps import write_maps
from wsss.train.device import prepare_device
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
options = snakemake.params.options
localize = import_module(f"wsss.localize.{snakemake.params.method}").localize
index = read_index(snakemake.input.index, snakemake.input.classes)
random_seed = int(snakemake.wildcards.random_seed)
train = index.split("train")
records = shard_of(train, int(snakemake.wildcards.shard), snakemake.params.shards)
others = OtherImages(train, index.class_ids, random_seed)
offered = {
    "others": others.beside,
    "random_seeds": lambda batch: [seed_of(record, random_seed) for record in batch],
}
wanted = signature(localize).parameters.keys() & offered
classifier, _, _ = load_classifier(snakemake.input.classifier)
classifier.to(device)


def maps():
    """Yield the maps of every image, batch by batch."""
    for batch, images in progress(
        full_image_batches(records, batch_size=options["batch_size"]),
        total=len(records),
        description=snakemake.params.method,
        weight=lambda item: len(item[0]),
        inputs=True,
    ):
        class_ids = [index.class_ids(record) for record in batch]
        beside = {name: offered[name](batch) for name in wanted}
        found = localize(classifier, images, class_ids, **beside, **options)
        for record, ids, image_maps in zip(batch, class_ids, found, strict=True):
            yield record.image_id, ids, image_maps, (record.height, record.width)


write_maps(
    snakemake.output.maps,
    maps(),
    attributes={
        "method": snakemake.params.method,
        "options": dict(options),
        "code": snakemake.params.code,
        "random_seed": random_seed,
    },
)
