"""Predictions of one shard of the validation or test images, with and without the CRF."""

from functools import partial

from wsss.data.index import read_index, shard_of
from wsss.data.loading import full_image_batches
from wsss.logs import log_to
from wsss.models.segmentation import predict_probabilities
from wsss.parallel import parallel_map
from wsss.progress import progress
from wsss.refine.probabilities import labels_of_item
from wsss.store.mask_folders import write_masks
from wsss.train.device import prepare_device
from wsss.train.networks import load_segmenter

log_to(snakemake.log[0])
device = prepare_device(threads=snakemake.config["threads"]["infer"])
views = dict(snakemake.params.options)
crf = views.pop("crf")
index = read_index(snakemake.input.index, snakemake.input.classes)
shard, shards = int(snakemake.wildcards.shard), snakemake.params.shards
records = shard_of(index.split(snakemake.params.split), shard, shards)
segmenter, _ = load_segmenter(snakemake.input.segmenter)
segmenter.to(device)


def items():
    """Yield (image id, image, probabilities) of every image."""
    for batch, images in full_image_batches(records, batch_size=snakemake.params.batch_size):
        probs = predict_probabilities(segmenter, images, **views)
        for record, image, image_probs in zip(batch, images, probs, strict=True):
            yield record.image_id, image, image_probs


found = parallel_map(partial(labels_of_item, crf), items(), workers=snakemake.threads)
plain, refined = {}, {}
for image_id, labels, crf_labels in progress(found, total=len(records), description="predict"):
    plain[image_id], refined[image_id] = labels, crf_labels
write_masks(snakemake.output.predictions, plain.items())
write_masks(snakemake.output.predictions_crf, refined.items())
