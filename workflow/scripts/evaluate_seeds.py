"""Score the seeds of a localizer at its thresholds, at the best one, and over a curve."""

import numpy as np

from wsss.config.thresholds import policy_of, threshold_of, way_of
from wsss.data.index import read_classes, read_ground_truth, read_index, spurious_pairs
from wsss.logs import log_to
from wsss.metrics.confusion_ratio import summarise_ratios
from wsss.metrics.seeds import FurtherSeedScores
from wsss.metrics.threshold import ThresholdSweep
from wsss.metrics.tidy import tidy_rows
from wsss.progress import progress
from wsss.store.maps import MapReader
from wsss.store.masks import read_class_mask, read_mask
from wsss.store.rows import write_records
from wsss.store.thresholds import read_thresholds

log_to(snakemake.log[0])
setting = snakemake.params.background_threshold
chosen = read_thresholds(snakemake.input.thresholds)
policies = {policy_of(setting): threshold_of(setting, chosen)} | chosen
curve = [*snakemake.params.thresholds, *([] if way_of(setting) else [setting])]
# Maps have single precision: of two thresholds that are one to them, the written one stays.
thresholds = {np.float32(value): value for value in (*policies.values(), *curve)}
index = read_index(snakemake.input.index, snakemake.input.classes)
classes, spurious = read_classes(snakemake.input.classes)
truth = read_ground_truth(snakemake.input.ground_truth)
sweep = ThresholdSweep(
    len(classes) + 1,
    sorted(thresholds.values()),
    ignore_index=255,
    pairs=spurious_pairs(classes, spurious),
)
records = [record for record in index.split("train") if truth[record.image_id].mask is not None]
reader = MapReader(snakemake.input.maps)


def images(description):
    """Yield (record, ground truth, maps) of every image."""
    for record in progress(records, total=len(records), description=description):
        mask = read_class_mask(truth[record.image_id].mask, num_classes=len(classes) + 1)
        yield record, mask, reader.read_full(record.image_id)


with reader:
    for record, mask, maps in images("evaluate seeds"):
        companion = truth[record.image_id].spurious
        sweep.update(
            mask,
            maps.class_ids,
            maps.maps,
            spurious_mask=read_mask(companion) if companion else None,
        )
    policies["ground_truth"] = sweep.best_by_ground_truth()
    further = FurtherSeedScores(
        len(classes) + 1, list(policies.values()), ignore_index=255, **snakemake.params.scores
    )
    # The best threshold is known after the sweep only.
    for _, mask, maps in images("outlines and sizes") if further.asked else ():
        further.update(mask, maps.class_ids, maps.maps)
chain = {key: snakemake.wildcards[key] for key in ("dataset", "classifier", "localizer")}
chain |= {"random_seed": int(snakemake.wildcards.random_seed), "split": "train"}
rows = []
for policy, threshold in policies.items():
    matrix, ratios = sweep.matrix(threshold), sweep.confusion_ratios(threshold)
    rows += tidy_rows(
        matrix,
        classes=classes,
        num_images=len(records),
        further=summarise_ratios(ratios) | further.summary(threshold, matrix),
        ratios=ratios,
        spurious=spurious,
        place={
            **chain,
            "stage": "seed",
            "threshold_policy": policy,
            "threshold": threshold,
            "threshold_in_config": int(policy == policy_of(setting)),
        },
    )
drawn = {np.float32(value) for value in curve}
write_records(
    snakemake.output.curve,
    [{**chain, **row} for row in sweep.curve() if np.float32(row["threshold"]) in drawn],
)
write_records(snakemake.output.metrics, rows)
