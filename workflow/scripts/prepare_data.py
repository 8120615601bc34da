"""Make or read a data set, and write what later stages read: index, classes, ground truth."""

from importlib import import_module
from itertools import chain
from pathlib import Path

from wsss.data.candidates import write_candidates
from wsss.data.index import INDEXED, write_classes, write_ground_truth, write_index
from wsss.data.pool import pool_candidates
from wsss.logs import log_to

log_to(snakemake.log[0])
prepare = import_module(f"wsss.data.sets.{snakemake.params.kind}").prepare
folder = Path(snakemake.output.folder)
# Some kinds have nothing to write into it.
folder.mkdir(parents=True, exist_ok=True)
prepared = prepare(folder, **snakemake.params.options, workers=snakemake.threads)
indexed = [record for record in prepared.records if record.split in INDEXED]
pools = [
    pool_candidates(Path(table), Path(classes), classes=prepared.classes, records=indexed)
    for table, classes in zip(snakemake.input.pool, snakemake.input.pool_classes, strict=True)
]
own = (record for record in prepared.records if record.split not in INDEXED)
write_candidates(
    Path(snakemake.output.candidates), chain(own, prepared.candidates, *pools), indexed
)
write_classes(snakemake.output.classes, prepared.classes, prepared.spurious)
write_ground_truth(snakemake.output.ground_truth, prepared.ground_truth)
write_index(snakemake.output.index, prepared.records)
