"""Train PSA's AffinityNet on confident labels."""

import torch

from wsss.data.index import read_index
from wsss.logs import log_to
from wsss.models.psa import AffinityNet
from wsss.store.mask_folders import find_masks
from wsss.store.rows import write_records
from wsss.train.checkpoint import running_checkpoint
from wsss.train.device import prepare_device
from wsss.train.distributed import own_share
from wsss.train.launch import end_other_ranks, launch
from wsss.train.networks import load_classifier, save_affinity_net
from wsss.train.psa import train_psa
from wsss.train.streams import masked_stream

log_to(snakemake.log[0])
launch(snakemake.config["gpus"]["train"])
device = prepare_device(threads=own_share(snakemake.config["threads"]["train"]))
options = dict(snakemake.params.options)
random_seed = int(snakemake.wildcards.random_seed)
index = read_index(snakemake.input.index, snakemake.input.classes)
classifier, backbone, classes = load_classifier(snakemake.input.classifier)
torch.manual_seed(random_seed)
network = AffinityNet(classifier.backbone, **snakemake.params.network).to(device)
stream = masked_stream(
    index.split("train"),
    find_masks(snakemake.input.labels),
    **options.pop("images"),
    random_seed=random_seed,
    workers=own_share(snakemake.threads) - 1,
)
checkpoint = running_checkpoint(
    snakemake.output.psa,
    options=[dict(snakemake.params.items()), random_seed],
    inputs=snakemake.input,
)
history = train_psa(network, stream, **options, checkpoint=checkpoint)
end_other_ranks()
recipe = {"backbone": backbone, **snakemake.params.network}
save_affinity_net(snakemake.output.psa, network, recipe=recipe, classes=classes)
write_records(snakemake.output.train, history)
checkpoint.remove()
