"""Train the network of a refiner on confident labels (IRN, PSA)."""

from importlib import import_module

from wsss.data.index import read_index
from wsss.logs import log_to
from wsss.store.mask_folders import find_masks
from wsss.store.rows import write_records
from wsss.train.checkpoint import running_checkpoint
from wsss.train.device import prepare_device
from wsss.train.distributed import own_share
from wsss.train.launch import end_other_ranks, launch
from wsss.train.networks import save_refiner_network, start_refiner_network
from wsss.train.streams import masked_stream

log_to(snakemake.log[0])
launch(snakemake.config["gpus"]["train"])
device = prepare_device(threads=own_share(snakemake.config["threads"]["train"]))
method, options = snakemake.params.method, dict(snakemake.params.options)
random_seed = int(snakemake.wildcards.random_seed)
index = read_index(snakemake.input.index, snakemake.input.classes)
network, recipe, classes = start_refiner_network(
    method,
    snakemake.input.classifier,
    options=snakemake.params.network,
    random_seed=random_seed,
)
stream = masked_stream(
    index.split("train"),
    find_masks(snakemake.input.labels),
    **options.pop("images"),
    random_seed=random_seed,
    workers=own_share(snakemake.threads) - 1,
)
checkpoint = running_checkpoint(
    snakemake.output.network,
    options=[dict(snakemake.params.items()), random_seed],
    inputs=snakemake.input,
)
train = getattr(import_module(f"wsss.train.{method}"), f"train_{method}")
history = train(network.to(device), stream, **options, checkpoint=checkpoint)
end_other_ranks()
save_refiner_network(
    snakemake.output.network, network, method=method, recipe=recipe, classes=classes
)
write_records(snakemake.output.train, history)
checkpoint.remove()
