"""Score the seeds of a localizer at its thresholds, at the best one, and over a curve."""

import numpy as np

from wsss.config.thresholds import policy_of, threshold_of, way_of
from wsss.data.index import read_classes, read_ground_truth, read_index
from wsss.logs import log_to
from wsss.metrics.confusion_ratio import summarise_ratios
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
pairs = {classes.index(name): number for name, (_, number) in spurious.items() if number}
sweep = ThresholdSweep(
    len(classes) + 1,
    sorted(thresholds.values()),
    ignore_index=255,
    pairs=pairs,
)
records = [record for record in index.split("train") if truth[record.image_id].mask is not None]
with MapReader(snakemake.input.maps) as reader:
    for record in progress(records, total=len(records), description="evaluate seeds"):
        maps = reader.read_full(record.image_id)
        known = truth[record.image_id]
        sweep.update(
            read_class_mask(known.mask, num_classes=len(classes) + 1),
            maps.class_ids,
            maps.maps,
            spurious_mask=read_mask(known.spurious) if known.spurious else None,
        )
chain = {key: snakemake.wildcards[key] for key in ("dataset", "classifier", "localizer")}
chain |= {"random_seed": int(snakemake.wildcards.random_seed), "split": "train"}
rows = []
policies["ground_truth"] = sweep.best_by_ground_truth()
for policy, threshold in policies.items():
    rows += tidy_rows(
        sweep.matrix(threshold),
        classes=classes,
        num_images=len(records),
        further=summarise_ratios(sweep.confusion_ratios(threshold)),
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
