"""Pooled features and probabilities of one shard of the training images under a classifier."""

import numpy as np

from wsss.data.index import read_index, shard_of
from wsss.logs import log_to
from wsss.store.arrays import write_arrays
from wsss.train.device import prepare_device
from wsss.train.inference import features_of
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
index = read_index(snakemake.input.index, snakemake.input.classes)
shard = int(snakemake.wildcards.shard)
records = shard_of(index.split("train"), shard, snakemake.params.shards)
classifier, _, _ = load_classifier(snakemake.input.classifier)
features, probs = features_of(
    classifier.to(device), records, batch_size=snakemake.params.batch_size
)
write_arrays(
    snakemake.output.features,
    {
        "image_ids": np.array([record.image_id for record in records]),
        "features": features,
        "probs": probs,
        "image_labels": np.array(
            [index.image_labels(record) for record in records], np.float32
        ).reshape(len(records), len(index.classes)),
    },
    attributes={"code": snakemake.params.code},
)
