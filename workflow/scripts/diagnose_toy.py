"""Measure what happens inside a network of a kind's own, on data of its own."""

from importlib import import_module

from wsss.logs import log_to
from wsss.store.rows import write_records
from wsss.train.device import prepare_device

log_to(snakemake.log[0])
prepare_device(threads=snakemake.config["threads"]["infer"])
random_seed = int(snakemake.wildcards.random_seed)
measure = import_module(f"wsss.diagnose.{snakemake.params.kind}").measure
rows = measure(random_seed, **snakemake.params.options)
write_records(snakemake.output.table, [{"random_seed": random_seed, **row} for row in rows])
