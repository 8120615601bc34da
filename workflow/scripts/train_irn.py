"""Train IRN's boundary and displacement branches on confident labels."""

import torch

from wsss.data.index import read_index
from wsss.logs import log_to
from wsss.models.irn import IRNet
from wsss.store.mask_folders import find_masks
from wsss.store.rows import write_records
from wsss.train.checkpoint import running_checkpoint
from wsss.train.device import prepare_device
from wsss.train.distributed import own_share
from wsss.train.irn import train_irn
from wsss.train.launch import end_other_ranks, launch
from wsss.train.networks import load_classifier, save_irnet
from wsss.train.streams import masked_stream

log_to(snakemake.log[0])
launch(snakemake.config["gpus"]["train"])
device = prepare_device(threads=own_share(snakemake.config["threads"]["train"]))
options = dict(snakemake.params.options)
random_seed = int(snakemake.wildcards.random_seed)
index = read_index(snakemake.input.index, snakemake.input.classes)
classifier, backbone, classes = load_classifier(snakemake.input.classifier)
torch.manual_seed(random_seed)
irnet = IRNet(classifier.backbone).to(device)
stream = masked_stream(
    index.split("train"),
    find_masks(snakemake.input.labels),
    **options.pop("images"),
    random_seed=random_seed,
    workers=own_share(snakemake.threads) - 1,
)
checkpoint = running_checkpoint(
    snakemake.output.irnet,
    options=[dict(snakemake.params.items()), random_seed],
    inputs=snakemake.input,
)
history = train_irn(irnet, stream, **options, checkpoint=checkpoint)
end_other_ranks()
save_irnet(snakemake.output.irnet, irnet, backbone=backbone, classes=classes)
write_records(snakemake.output.train, history)
checkpoint.remove()
