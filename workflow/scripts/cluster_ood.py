"""Centres of the training images' classes and of the OoD images' clusters under F_in."""

import numpy as np

from wsss.data.selected import COLUMNS, selected_records
from wsss.logs import log_to
from wsss.ood.cluster import centre_distances, class_means, group_ood
from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.tables import read_table
from wsss.train.device import prepare_device
from wsss.train.inference import features_of
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
records = selected_records(read_table(snakemake.input.selected, COLUMNS))
classifier, _, _ = load_classifier(snakemake.input.classifier)
names = ("features", "image_labels")
shards = [read_arrays(path, names)[0] for path in snakemake.input.features]
trained = {name: np.concatenate([shard[name] for shard in shards]) for name in names}
features, probs = features_of(
    classifier.to(device), records, batch_size=snakemake.params.batch_size
)
labels, means = group_ood(
    features, probs, **snakemake.params.options, random_seed=int(snakemake.wildcards.random_seed)
)
write_arrays(
    snakemake.output.clusters,
    {
        "class_means": class_means(trained["features"], trained["image_labels"]),
        "cluster_means": means,
        "image_ids": np.array([record.image_id for record in records]),
        "cluster_labels": labels,
        "cluster_distances": centre_distances(features, labels, means),
    },
    attributes={"options": dict(snakemake.params.options), "code": snakemake.params.code},
)
