"""Fine-tune a classifier with out-of-distribution images (W-OoD)."""

import numpy as np
import torch

from wsss.config.lookup import training_threads
from wsss.data.index import read_index
from wsss.data.selected import COLUMNS, selected_records
from wsss.data.subset import Draw
from wsss.logs import log_to
from wsss.store.arrays import read_arrays
from wsss.store.rows import write_records
from wsss.store.saliency import find_saliency_maps
from wsss.store.tables import read_table
from wsss.train.checkpoint import running_checkpoint
from wsss.train.device import prepare_device
from wsss.train.distributed import own_share
from wsss.train.launch import end_other_ranks, launch
from wsss.train.networks import load_classifier, save_classifier
from wsss.train.objectives.step import load_objective
from wsss.train.streams import labelled_stream
from wsss.train.wood import train_wood

log_to(snakemake.log[0])
launch(snakemake.config["gpus"]["train"])
threads = training_threads(snakemake.config, snakemake.wildcards.classifier)
device = prepare_device(threads=own_share(threads))
options = dict(snakemake.params.options)
random_seed = int(snakemake.wildcards.random_seed)
index = read_index(snakemake.input.index, snakemake.input.classes)
draw = Draw(snakemake.wildcards.dataset, snakemake.wildcards.classifier, random_seed)
records = draw.records(
    index.split("train"), number=options.pop("training_images"), key="training_images"
)
ood_records = draw.records(
    selected_records(read_table(snakemake.input.selected, COLUMNS)),
    number=options.pop("ood_images"),
    key="ood_images",
)
centres, _ = read_arrays(snakemake.input.clusters, ["class_means", "cluster_means"])
# Some classifiers drop features, and importance sampling draws positions.
torch.manual_seed(random_seed)
classifier, backbone, classes = load_classifier(snakemake.input.start)
views = options.pop("images")
common = {"random_seed": random_seed, "workers": own_share(snakemake.threads) - 1}
stream = labelled_stream(
    records,
    np.stack([index.image_labels(record) for record in records]),
    saliency=find_saliency_maps(snakemake.input.get("saliency", ())) or None,
    **views,
    **common,
)
ood_stream = labelled_stream(
    ood_records,
    np.zeros((len(ood_records), len(classes)), np.float32),
    saliency=None,
    **{**views, "batch_size": options.pop("ood_batch_size")},
    **common,
)
checkpoint = running_checkpoint(
    snakemake.output.classifier,
    options=[dict(snakemake.params.items()), random_seed],
    inputs=snakemake.input,
)
objective = load_objective(**snakemake.params.objective, classes=index.classes)
options["lambda_"] = options.pop("lambda")
options["excluded_class"] = index.class_id(options["excluded_class"])
history = train_wood(
    classifier.to(device),
    stream,
    ood_stream,
    class_means=torch.from_numpy(centres["class_means"]),
    cluster_means=torch.from_numpy(centres["cluster_means"]),
    objective=objective,
    **options,
    checkpoint=checkpoint,
)
end_other_ranks()
save_classifier(snakemake.output.classifier, classifier, backbone=backbone, classes=classes)
write_records(snakemake.output.train, history)
checkpoint.remove()
