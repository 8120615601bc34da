"""Make or read a data set, and write what later stages read: index, classes, ground truth."""

from importlib import import_module
from pathlib import Path

from wsss.data.index import write_classes, write_ground_truth, write_index
from wsss.logs import log_to

log_to(snakemake.log[0])
prepare = import_module(f"wsss.data.sets.{snakemake.params.kind}").prepare
prepared = prepare(
    Path(snakemake.output.folder), **snakemake.params.options, workers=snakemake.threads
)
write_classes(snakemake.output.classes, prepared.classes, prepared.spurious)
write_ground_truth(snakemake.output.ground_truth, prepared.ground_truth)
write_index(snakemake.output.index, prepared.records)
