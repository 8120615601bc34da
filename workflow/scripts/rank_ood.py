"""Rank the candidate OoD images by each class's probability."""

from wsss.data.index import read_classes
from wsss.logs import log_to
from wsss.ood.rank import rank_candidates
from wsss.store.arrays import read_arrays
from wsss.store.tables import write_table

log_to(snakemake.log[0])
classes, _ = read_classes(snakemake.input.classes)


def batches():
    """Read one shard after the other."""
    for path in snakemake.input.scores:
        arrays, _ = read_arrays(path, ["image_ids", "probs"])
        yield arrays["image_ids"].tolist(), arrays["probs"]


ranking, summary = rank_candidates(batches(), classes=classes, **snakemake.params.options)
write_table(snakemake.output.summary, summary)
write_table(snakemake.output.ranking, ranking)
