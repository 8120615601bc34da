"""Class probabilities of one shard of the candidate OoD images."""

from pathlib import Path

import numpy as np

from wsss.data.candidates import candidate_shard
from wsss.logs import log_to
from wsss.store.arrays import write_arrays
from wsss.train.device import prepare_device
from wsss.train.inference import features_of
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
records = candidate_shard(
    Path(snakemake.input.candidates), int(snakemake.wildcards.shard), snakemake.params.shards
)
classifier, _, _ = load_classifier(snakemake.input.classifier)
_, probs = features_of(classifier.to(device), records, batch_size=snakemake.params.batch_size)
write_arrays(
    snakemake.output.scores,
    {"image_ids": np.array([record.image_id for record in records], dtype=str), "probs": probs},
    attributes={"code": snakemake.params.code},
)
