"""Centres of the training images' classes and of the OoD images' clusters under F_in."""

import numpy as np

from wsss.data.selected import COLUMNS, selected_records
from wsss.data.subset import Draw
from wsss.logs import log_to
from wsss.ood.cluster import centre_distances, class_means, group_ood
from wsss.store.arrays import read_arrays, write_arrays
from wsss.store.tables import read_table
from wsss.train.device import prepare_device
from wsss.train.inference import features_of
from wsss.train.networks import load_classifier

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
params, wildcards = snakemake.params, snakemake.wildcards
random_seed = int(wildcards.random_seed)
draw = Draw(wildcards.dataset, wildcards.classifier, random_seed)
records = draw.records(
    selected_records(read_table(snakemake.input.selected, COLUMNS)),
    number=params.ood_images,
    key="ood_images",
)
classifier, _, _ = load_classifier(snakemake.input.classifier)
names = ("image_ids", "features", "image_labels")
shards = [read_arrays(path, names)[0] for path in snakemake.input.features]
image_ids, trained_features, image_labels = (
    np.concatenate([shard[name] for shard in shards]) for name in names
)
drawn = draw.places(image_ids, number=params.training_images, key="training_images")
# An image without a label has no part in the classes' means.
image_labels[np.delete(np.arange(len(image_ids)), drawn)] = 0
features, probs = features_of(classifier.to(device), records, batch_size=params.batch_size)
labels, means = group_ood(features, probs, **params.options, random_seed=random_seed)
write_arrays(
    snakemake.output.clusters,
    {
        "class_means": class_means(trained_features, image_labels),
        "cluster_means": means,
        "image_ids": np.array([record.image_id for record in records]),
        "cluster_labels": labels,
        "cluster_distances": centre_distances(features, labels, means),
    },
    attributes={"options": dict(params.options), "code": params.code},
)
