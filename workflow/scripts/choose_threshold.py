"""Background thresholds of a localizer from its maps alone, by every way that there is."""

import logging
from importlib import import_module

from wsss.data.index import read_index
from wsss.logs import log_to
from wsss.progress import progress
from wsss.store.maps import MapReader
from wsss.store.thresholds import write_thresholds
from wsss.thresholds.choice import THRESHOLDS, ThresholdChoice

log_to(snakemake.log[0])
ways = snakemake.params.ways
index = read_index(snakemake.input.index, snakemake.input.classes)
records = index.split("train")
choice = ThresholdChoice({way: import_module(f"wsss.thresholds.{way}").criterion for way in ways})
with MapReader(snakemake.input.maps) as reader:
    # In the order of the index: how the images are shared among shards changes no digit.
    for record in progress(records, total=len(records), description="choose threshold"):
        choice.update(reader.read(record.image_id).maps)
chosen = {way: choice.best(way) for way in ways}
logging.getLogger("wsss").info("%s, from the maps of %d images", chosen, choice.num_images)
chain = {key: snakemake.wildcards[key] for key in ("dataset", "classifier", "localizer")}
chain |= {"random_seed": int(snakemake.wildcards.random_seed), "num_images": choice.num_images}
write_thresholds(
    snakemake.output.thresholds,
    {way: choice.curve(way) for way in ways},
    thresholds=THRESHOLDS,
    chosen=chosen,
    place=chain,
)
