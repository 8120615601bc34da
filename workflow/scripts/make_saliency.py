"""Saliency maps of one shard of the training images."""

from importlib import import_module
from pathlib import Path

from wsss.data.index import read_index, shard_of
from wsss.logs import log_to
from wsss.progress import progress
from wsss.store.saliency import write_saliency_maps

log_to(snakemake.log[0])
kind = import_module(f"wsss.data.saliency.{snakemake.params.kind}")
index = read_index(snakemake.input.index, snakemake.input.classes)
records = shard_of(index.split("train"), int(snakemake.wildcards.shard), snakemake.params.shards)
# Only the kind that is made of pixel labels is handed any.
truth = snakemake.input.ground_truth
labels = {"ground_truth": Path(truth)} if truth else {}
maps = kind.saliency_maps(records, **snakemake.params.options, **labels)
write_saliency_maps(
    snakemake.output.saliency,
    progress(maps, total=len(records), description=snakemake.params.kind),
    source=kind.SOURCE,
)
