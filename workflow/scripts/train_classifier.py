"""Train a multi-label classifier on image-level labels, from scratch or from another one."""

import numpy as np

from wsss.config.lookup import training_threads
from wsss.data.index import read_index
from wsss.data.subset import Draw
from wsss.logs import log_to
from wsss.store.rows import write_records
from wsss.store.saliency import find_saliency_maps
from wsss.train.checkpoint import running_checkpoint
from wsss.train.classifier import train_classifier
from wsss.train.device import prepare_device
from wsss.train.distributed import own_share
from wsss.train.launch import end_other_ranks, launch
from wsss.train.networks import save_classifier, start_classifier
from wsss.train.objectives.step import load_objective
from wsss.train.streams import labelled_stream

log_to(snakemake.log[0])
launch(snakemake.config["gpus"]["train"])
threads = training_threads(snakemake.config, snakemake.wildcards.classifier)
device = prepare_device(threads=own_share(threads))
options = dict(snakemake.params.options)
index = read_index(snakemake.input.index, snakemake.input.classes)
random_seed = int(snakemake.wildcards.random_seed)
draw = Draw(snakemake.wildcards.dataset, snakemake.wildcards.classifier, random_seed)
records = draw.records(
    index.split("train"), number=options.pop("training_images"), key="training_images"
)
classifier, backbone = start_classifier(
    snakemake.input.get("start") or None,
    classes=index.classes,
    network=snakemake.params.network,
    network_options=snakemake.params.network_options,
    backbone=options.pop("backbone"),
    initial_weights=options.pop("initial_weights"),
    random_seed=random_seed,
)
stream = labelled_stream(
    records,
    np.stack([index.image_labels(record) for record in records]),
    saliency=find_saliency_maps(snakemake.input.get("saliency", ())) or None,
    **options.pop("images"),
    random_seed=random_seed,
    workers=own_share(snakemake.threads) - 1,
)
checkpoint = running_checkpoint(
    snakemake.output.classifier,
    options=[dict(snakemake.params.items()), random_seed],
    inputs=snakemake.input,
)
objective = load_objective(**snakemake.params.objective, classes=index.classes)
history = train_classifier(
    classifier.to(device), stream, objective=objective, **options, checkpoint=checkpoint
)
end_other_ranks()
save_classifier(snakemake.output.classifier, classifier, backbone=backbone, classes=index.classes)
write_records(snakemake.output.train, history)
checkpoint.remove()
