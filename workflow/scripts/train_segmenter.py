"""Train the segmentation network on pseudo-masks."""

import numpy as np

from wsss.data.index import read_index
from wsss.logs import log_to
from wsss.store.mask_folders import find_masks
from wsss.store.rows import write_records
from wsss.train.checkpoint import running_checkpoint
from wsss.train.device import prepare_device
from wsss.train.distributed import own_share
from wsss.train.launch import end_other_ranks, launch
from wsss.train.networks import save_segmenter, start_segmenter
from wsss.train.segmenter import train_segmenter
from wsss.train.streams import masked_stream

log_to(snakemake.log[0])
launch(snakemake.config["gpus"]["train"])
device = prepare_device(threads=own_share(snakemake.config["threads"]["train"]))
recipe, options = dict(snakemake.params.recipe), dict(snakemake.params.options)
random_seed = int(snakemake.wildcards.random_seed)
index = read_index(snakemake.input.index, snakemake.input.classes)
segmenter = start_segmenter(
    recipe,
    classes=index.classes,
    initial_weights=snakemake.params.initial_weights,
    saw_pixel_labels=snakemake.params.saw_pixel_labels,
    start=snakemake.input.get("start") or None,
    random_seed=random_seed,
)
views, records = dict(options.pop("images")), index.split("train")
grows = options["seed_growing"] is not None
stream = masked_stream(
    records,
    find_masks(snakemake.input.pseudo_masks),
    np.stack([index.image_labels(record) for record in records]) if grows else None,
    **{**views, "batch_size": views["batch_size"] * options["iter_size"]},
    random_seed=random_seed,
    workers=own_share(snakemake.threads) - 1,
)
checkpoint = running_checkpoint(
    snakemake.output.segmenter,
    options=[dict(snakemake.params.items()), random_seed],
    inputs=snakemake.input,
)
history = train_segmenter(segmenter.to(device), stream, **options, checkpoint=checkpoint)
end_other_ranks()
save_segmenter(snakemake.output.segmenter, segmenter, recipe=recipe, classes=index.classes)
write_records(snakemake.output.train, history)
checkpoint.remove()
